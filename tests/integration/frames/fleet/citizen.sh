#!/bin/sh
# A stream of the fleet: a few ops for each of its agents, every line noted in a ledger first.
# LEDGER is a directory, LIFE names the worker's process. Written in shell, and without any
# other program: a thousand runs of it are to cost little.
set -eu
run="$LIFE-$BATON_FRAME-$BATON_STREAM-$$"
book="$LEDGER/$run.jsonl"
agents='' list=''
while read -r line || [ -n "$line" ]; do
    IFS='[], "'
    for agent in $line; do
        agents="$agents${agent:+ $agent}" list="$list${agent:+,\"$agent\"}"
    done
    unset IFS
done < "$BATON_AGENTS"

say() {
    printf '> %s\n' "$1" >> "$book"
    printf '%s\n' "$1" >> "$BATON_OPS"
}

printf '{"run":"%s","frame":%s,"stream":"%s","life":"%s","agents":[%s]}\n' \
    "$run" "$BATON_FRAME" "$BATON_STREAM" "$LIFE" "${list#,}" > "$book"
for agent in $agents; do
    number=${agent#a}
    while [ "${number#0}" != "$number" ] && [ ${#number} -gt 1 ]; do number=${number#0}; done
    word="\"agent\":\"$agent@$run\""
    id="$agent-$run"
    say "{\"op\":\"append\",\"doc\":\"diary/$agent.json\",\"path\":\"/entries\",\"value\":{\"id\":\"$id\"},\"key\":\"$id\",$word}"
    say "{\"op\":\"incr\",\"doc\":\"totals.json\",\"path\":\"/steps/$agent\",\"value\":1,$word}"
    say "{\"op\":\"incr\",\"doc\":\"totals.json\",\"path\":\"/all\",\"value\":1,$word}"
    say "{\"op\":\"max\",\"doc\":\"records.json\",\"path\":\"/best\",\"value\":$((number * BATON_FRAME % 97)),$word}"
    say "{\"op\":\"add\",\"doc\":\"seen.json\",\"path\":\"/frame-$((BATON_FRAME % 3))\",\"value\":\"$agent\",$word}"
    if [ $(((number + BATON_FRAME) % 9)) -eq 0 ]; then
        say "{\"op\":\"set\",\"doc\":\"square.json\",\"path\":\"/banner\",\"value\":\"$id\",$word}"
    fi
    if [ $(((number + BATON_FRAME) % 25)) -eq 0 ]; then
        say "{\"op\":\"explode\",\"doc\":\"square.json\",\"path\":\"/banner\",$word}"
        say "this is no JSON"
    fi
done
echo end >> "$book"
