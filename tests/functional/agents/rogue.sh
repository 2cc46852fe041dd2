#!/bin/bash
# An agent that does what the id of its task says. Most of it no agent should do.
set -eu
cd "$BATON_WORKTREE"
again() { [ "$BATON_EPOCH" -gt 1 ]; }
write() { echo "by $BATON_TASK" >"${1:-$BATON_TASK.txt}"; }
save() { git add -A && git commit -qm "${1:-Work}"; }

case $BATON_TASK in
commits)
    write one.txt && save One
    write two.txt && save Two ;;
uncommitted)
    write ;;
nothing)
    ;;
fails)
    write
    echo "the parser is broken"
    exit 3 ;;
red-check)
    write ;;
asks)
    if read -r answer; then exit 9; fi
    write ;;
stubborn)
    write
    trap '' TERM
    sleep 600 & while ! wait; do :; done ;;
daemon)
    write
    (setsid bash -c 'while :; do date >>daemon.txt; sleep 0.01; done' &) ;;
noisy)
    head -c 50000000 /dev/zero | tr '\0' 'x'
    echo "the last words"
    write ;;
deletes-after-commit)
    write && save
    rm -rf "$BATON_WORKTREE" ;;
deletes)
    write
    rm -rf "$BATON_WORKTREE" ;;
elsewhere)
    git checkout -qb side
    write && save ;;
rewrites)
    write
    git add -A && git commit -q --amend -m "Never happened" ;;
conflict)
    git checkout -q -b side
    echo theirs >readme && save Theirs
    git checkout -q -
    echo ours >readme && save Ours
    git merge side || true ;;
stash)
    write
    git add -A && git stash -q ;;
nested)
    write
    git init -q inner
    git -C inner commit -q --allow-empty -m "A repository inside" ;;
secret)
    write
    echo "password" >.env ;;
block)
    if again; then
        cp "$BATON_PROMPT_FILE" prompt.txt
    else
        baton block --reason "Which database?"
    fi ;;
ends-itself)
    baton done "$BATON_TASK" --result "nothing to change" ;;
releases)
    if again; then write; else baton release "$BATON_TASK" --reason "not today"; fi ;;
needy)
    ls >seen.txt ;;
gated)
    exec "$(dirname "$0")/gated.sh" ;;
*)
    echo "no such behaviour: $BATON_TASK" >&2
    exit 2 ;;
esac
