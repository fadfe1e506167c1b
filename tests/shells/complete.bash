# Usage: bash complete.bash SCRIPT <LINES. Prints each command line and, below it, the completions of its last word.

source "$1"

# It only works while the line editor completes.
compopt() { :; }

# `complete -p` prints the arguments of `complete`; the function follows -F.
registration=($(complete -p heeler-ec))
for ((i = 0; i < ${#registration[@]}; i++)); do
    [[ ${registration[i]} != -F ]] || completer=${registration[i + 1]}
done

while IFS= read -r line; do
    echo "> $line"
    read -ra COMP_WORDS <<<"$line"
    [[ $line != *' ' ]] || COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
    "$completer" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    # With -o default, the line editor completes file names if the function finds nothing.
    if [[ ${#COMPREPLY[@]} -eq 0 && " ${registration[*]} " == *' -o default '* ]]; then
        COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
    fi
    [[ ${#COMPREPLY[@]} -eq 0 ]] || printf '%s\n' "${COMPREPLY[@]}"
done
