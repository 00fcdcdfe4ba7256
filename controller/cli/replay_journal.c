/* What happens in a replay, as JSON lines. */
#include "cli/replay.h"

#include "core/preempt.h"

void replay_journal_note(void *arg, const struct replay_note *n)
{
    static const char *const names[] = {"arrived", "admitted", "waits", "evicted",         "released",
                                        "ready",   "timedOut", "left",  "backoffFinished", "finished"};
    struct replay_journal *j = arg;

    str_clear(&j->line);
    str_addf(&j->line, "{\"policy\":");
    str_add_json(&j->line, j->policy);
    str_addf(&j->line, ",\"at\":%lld.%03lld,\"event\":\"%s\",\"job\":", (long long)(n->at / NS_PER_S),
             (long long)(n->at % NS_PER_S / NS_PER_MS), names[n->event]);
    str_add_json(&j->line, n->job);
    str_add(&j->line, ",\"clusterQueue\":");
    str_add_json(&j->line, n->queue);
    str_addf(&j->line, ",\"units\":%lld", (long long)n->units);
    if (n->event == REPLAY_WAITS && n->decision)
        str_addf(&j->line, ",\"reason\":\"%s\"", wait_reason_text(n->decision->wait));
    if (n->event == REPLAY_ADMITTED && n->decision && n->decision->a)
        str_addf(&j->line, ",\"borrowingLevel\":%u", n->decision->a->borrowing);
    if (n->event == REPLAY_EVICTED) {
        str_addf(&j->line, ",\"reason\":\"%s\",\"by\":", preempt_reason_text(n->reason));
        str_add_json(&j->line, n->by);
    }
    str_add(&j->line, "}\n");
    if (str_failed(&j->line) || fwrite(str_text(&j->line), 1, j->line.len, j->file) != j->line.len)
        j->failed = true;
}
