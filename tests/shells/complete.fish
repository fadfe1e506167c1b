# Usage: fish --no-config complete.fish SCRIPT <LINES. Prints each command line and, below it, the completions of its last
# word.

source $argv[1]

while read -l line
    echo "> $line"
    # A tab separates a completion from its description.
    complete -C $line | string split --fields 1 \t
end
