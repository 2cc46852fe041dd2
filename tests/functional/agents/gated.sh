#!/bin/bash
# An agent that writes a file and then waits for its test to let it go, whatever its task.
set -eu
cd "$BATON_WORKTREE"
echo "$BATON_TASK in epoch $BATON_EPOCH" >"$BATON_TASK.txt"
touch "$GATE/$BATON_TASK.$BATON_EPOCH.up"
until [ -e "$GATE/$BATON_TASK.$BATON_EPOCH.go" ]; do sleep 0.05; done
