# Usage: zsh -f complete.zsh SCRIPT <LINES. Prints each command line and, below it, the completions of its last word.
#
# Only the line editor of an interactive shell completes, so a second zsh runs on a pseudo-terminal. It reads this file, too.

if [[ -z $LINES_FILE ]]; then
    zmodload zsh/zpty
    export LINES_FILE=$HOME/lines RESULT_FILE=$HOME/result SCRIPT_FILE=$1
    cat >$LINES_FILE
    zpty editor zsh -f -i
    zpty -w editor "source ${0:a}"
    # What the terminal shows is not needed. Reading fails when the shell has ended.
    while zpty -r editor shown; do :; done
    cat $RESULT_FILE
    exit
fi

autoload -Uz compinit
compinit -D -u
source $SCRIPT_FILE

# Writes the matches to the file instead of offering them. With -O, -A or -D, the completion system filters its own lists.
compadd() {
    if (( $@[(I)-[OAD]] )); then
        builtin compadd "$@"
        return
    fi
    local -a matches
    builtin compadd -O matches "$@"
    (( $#matches )) && print -rl -- $matches >>$RESULT_FILE
}

complete_word() {
    _main_complete
    compstate[insert]= compstate[list]=
}
zle -C complete_word complete-word complete_word

# Runs when the editor is ready for the first line.
complete_lines() {
    local line
    for line in "${(@f)$(<$LINES_FILE)}"; do
        print -r -- "> $line" >>$RESULT_FILE
        BUFFER=$line CURSOR=$#line
        zle complete_word
    done
    exit
}
zle -N zle-line-init complete_lines
