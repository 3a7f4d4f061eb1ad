/*
 * How a batch is leased, sent and recovered: a model that spin checks in every order of events.
 *
 * One campaign of N messages. Batch 0 holds all of them (first attempts). A message that has to be sent
 * again gets a batch of its own: batch 1+m holds message m (second attempt). Two attempts are the cap.
 *
 * Each `atomic` below is one database transaction, or one call to the provider. Between two of them anything
 * else may happen, for any length of time. So a frozen process needs no code of its own: it is a runner whose
 * next step comes late, perhaps after its lease was reaped and its messages were sent by somebody else.
 *
 * README.md explains the rest. `check` runs every configuration and every broken variant (-D macros).
 */

#ifndef N
#define N 3                     /* messages */
#endif
#ifndef R
#define R 2                     /* runners */
#endif
#ifndef LOSSES
#define LOSSES 2                /* leases that end early: crash, expiry, release, lost lease reply */
#endif

/* ---- words ---------------------------------------------------------------------------------------- */

#define NONE      0             /* outcomes of one attempt; NONE: no row yet */
#define ACCEPTED  1
#define REFUSED   2             /* the provider said that it did not take it: safe to try again */
#define DOUBT     3             /* may have been taken */
#define ABSENT    4             /* was in doubt; a lookup proved that it was not taken */
#define SKIP      5             /* never sent: opted out, or already known as sent */

#define PENDING   0             /* states of a message (invariant 5) */
#define SENDING   1
#define SENT      2
#define FAILED    3
#define IN_DOUBT  4
#define SKIPPED   5

#define UNUSED    0             /* states of a batch */
#define READY     1
#define LEASED    2
#define COMPLETED 3

#define IDLE      0             /* what a runner does next */
#define ASK       1             /* call advance */
#define SEND      2             /* call the provider with the message that it was handed */

#define NB        (1 + N)
#define NOTHING   N             /* replies of advance that are not a position */
#define STALE     (N + 1)
#define DROP      (N + 2)

#define len(b)       ((b) == 0 -> N : 1)
#define msg(b, p)    ((b) == 0 -> (p) : (b) - 1)
#define att(b, p)    ((b) == 0 -> (p) : N + (b) - 1)     /* index of a row of `delivery` */
#define max2(x, y)   ((x) > (y) -> (x) : (y))

/* ---- the database --------------------------------------------------------------------------------- */

byte bst[NB];                   /* batch: state, lease epoch, */
byte bep[NB];
byte bres[NB];                  /* reservation high-water mark, */
byte bfloor[NB];                /* and what that was when the present lease began */
byte outc[2 * N];               /* delivery: one outcome an attempt, insert-only */
bit  rcpt[N];                   /* a receipt came (or a lookup found it) */
byte st[N];                     /* the books, kept step by step; compared with the rows in books() */
bit  opted;                     /* message 1 opted out */

/* ---- the runners' memory: lost in a crash --------------------------------------------------------- */

byte ph[R];
byte rb[R];                     /* batch, epoch, high-water mark that it knows */
byte re[R];
byte rseen[R];
byte rpos[R];                   /* position handed to it, or whose outcome it has to report */
byte rout[R];                   /* that outcome */

/* ---- the world ------------------------------------------------------------------------------------ */

byte shown[N];                  /* how often the recipient saw the message */
bit  late[2 * N];               /* a request that was written, timed out, and may still arrive */
bit  dead[2 * N];               /* the request deadline of this attempt has passed (LOOKUP) */
bit  op[N];                     /* an operator decided to send again */
byte losses;

byte gb = NB;                   /* a call of advance whose connection broke before it ran: it may run later */
byte ge;
byte gseen;
byte gpos;
byte gout;

/* ---- what must hold; pan prints the name of the broken one ---------------------------------------- */

byte resv[2 * N];               /* ghost: epoch of a committed reservation; spent by one call */

bit inv1_reserve_then_send     = 1;
bit inv2_fencing               = 1;
bit inv4_at_most_once          = 1;
bit inv4_never_resend_sent     = 1;
bit inv4_failed_is_not_taken   = 1;
bit inv4_sent_is_taken         = 1;
bit inv5_books_balance         = 1;
bit inv5_nothing_lost          = 1;
bit inv7_opt_out               = 1;
bit inv9_never_stuck           = 1;

#define INV(name, cond) assert(!name || (cond))
#ifdef EFFECTS_ONLY             /* look past the broken rule, at what it does to a recipient */
#define RULE(name, cond) skip
#else
#define RULE(name, cond) INV(name, cond)
#endif

#ifdef DEDUPE
#define AUTO_RESEND
#endif
#ifdef LIVENESS
#define LOST_REPLIES            /* bounded: a reply that is lost for ever is no live database */
#endif
#ifdef RESEND_WITHOUT_DEDUPE
#define AUTO_RESEND
#endif

#ifdef AUTO_RESEND
#define waits(m) (st[m] == IN_DOUBT && bst[1 + (m)] == UNUSED)
#else
#define waits(m) false
#endif
#define ended(m) ((st[m] == SENT || st[m] == FAILED || st[m] == IN_DOUBT || st[m] == SKIPPED) && !waits(m))
#define closed(b) (bst[b] == UNUSED || bst[b] == COMPLETED)

#if N == 2
#define any_ready  (bst[0] == READY || bst[1] == READY || bst[2] == READY)
#define all_closed (closed(0) && closed(1) && closed(2))
#define all_ended  (ended(0) && ended(1))
#else
#define any_ready  (bst[0] == READY || bst[1] == READY || bst[2] == READY || bst[3] == READY)
#define all_closed (closed(0) && closed(1) && closed(2) && closed(3))
#define all_ended  (ended(0) && ended(1) && ended(2))
#endif

/* The view: the state of a message from the rows alone. It must agree with the books at every commit. */
inline books() {
    d_step {
        m = 0;
        do
        :: m < N ->
            if
            :: rcpt[m] || outc[m] == ACCEPTED || outc[N + m] == ACCEPTED -> v = SENT
            :: else ->
                if
                :: bst[1 + m] == UNUSED ->
                    if
                    :: bres[0] <= m -> v = PENDING
                    :: else ->
                        if
                        :: outc[m] == NONE -> v = SENDING
                        :: outc[m] == DOUBT -> v = IN_DOUBT
                        :: outc[m] == SKIP -> v = SKIPPED
                        :: else -> v = 99       /* refused, and nobody will try again */
                        fi
                    fi
                :: bst[1 + m] != UNUSED && bres[1 + m] == 0 -> v = PENDING
                :: else ->
                    if
                    :: outc[N + m] == NONE -> v = SENDING
                    :: outc[N + m] == DOUBT -> v = IN_DOUBT
#ifndef FAILED_HIDES_DOUBT
                    :: outc[N + m] != NONE && outc[N + m] != DOUBT && outc[m] == DOUBT -> v = IN_DOUBT
                    :: outc[N + m] == REFUSED && outc[m] != DOUBT -> v = FAILED
                    :: outc[N + m] == SKIP && outc[m] != DOUBT -> v = SKIPPED
#else
                    :: outc[N + m] == REFUSED -> v = FAILED
                    :: outc[N + m] == SKIP -> v = SKIPPED
#endif
                    fi
                fi
            fi;
            INV(inv5_books_balance, v == st[m]);
            INV(inv4_failed_is_not_taken, !(v == FAILED || v == SKIPPED) || shown[m] == 0);
            INV(inv4_sent_is_taken, v != SENT || shown[m] > 0);
            INV(inv5_nothing_lost, !all_closed || ended(m) || waits(m));
            m++
        :: else -> break
        od;
        m = 0; v = 0
    }
}

/* Message x is put into a batch of its own, to be sent again under the same id. */
inline queue_again(x) {
    printf("message %d is queued to be sent again\n", x);
    bst[1 + x] = READY;
    st[x] = PENDING
}

/* The lease of batch b ends without its runner. Whatever was reserved and has no outcome is in doubt. */
inline end_lease(b) {
    bep[b]++;
    bst[b] = READY;
    bfloor[b] = 0;
    k = 0;
    do
    :: k < bres[b] ->
        if
        :: outc[att(b, k)] == NONE ->
#ifdef REAP_WITHOUT_IN_DOUBT
            bres[b] = k;
            if
            :: st[msg(b, k)] != SENT -> st[msg(b, k)] = PENDING
            :: else
            fi
#else
            outc[att(b, k)] = DOUBT;
            if
            :: st[msg(b, k)] != SENT -> st[msg(b, k)] = IN_DOUBT
            :: else
            fi
#endif
        :: else
        fi;
        k++
    :: else -> break
    od;
    k = 0
}

/* advance, first half: the outcome of position p. A second report of the same attempt changes nothing. */
inline record(b, e, p, o) {
    if
    :: o != NONE && outc[att(b, p)] == NONE ->
        RULE(inv2_fencing, bst[b] == LEASED && bep[b] == e);
        outc[att(b, p)] = o;
        m = msg(b, p);
        if
        :: o == ACCEPTED -> st[m] = SENT
        :: o != ACCEPTED && st[m] == SENT -> skip              /* a receipt knew better */
        :: o == DOUBT && st[m] != SENT -> st[m] = IN_DOUBT
        :: o == REFUSED && st[m] != SENT ->
            if
            :: b == 0 -> queue_again(m)
#ifndef FAILED_HIDES_DOUBT
            :: b != 0 && outc[m] == DOUBT -> st[m] = IN_DOUBT  /* the first attempt is still unknown */
            :: b != 0 && outc[m] != DOUBT -> st[m] = FAILED
#else
            :: b != 0 -> st[m] = FAILED
#endif
            fi
        :: o == SKIP && st[m] != SENT -> not_sent(b)
        fi;
        m = 0
    :: else
    fi
}

/* Message m is not sent by this attempt. An older attempt that is in doubt keeps it in doubt. */
inline not_sent(b) {
    if
    :: b != 0 && outc[m] == DOUBT -> st[m] = IN_DOUBT
    :: else -> st[m] = SKIPPED
    fi
}

/* advance, second half: what to send next. reply is a position, NOTHING or DROP. */
inline reserve(b, e, seen, want) {
#ifdef REDELIVER_ANY_EPOCH
    k = seen;
#else
    k = max2(seen, bfloor[b]);
#endif
#ifdef NO_REDELIVERY
    k = bres[b];
#endif
    /* Reserved under this epoch, without an outcome, and the reply was lost: hand it out again. */
    do
#ifdef REDELIVER_ANY_EPOCH
    :: k < bres[b] && outc[att(b, k)] != NONE && outc[att(b, k)] != DOUBT -> k++
    :: k < bres[b] && (outc[att(b, k)] == NONE || outc[att(b, k)] == DOUBT) -> reply = k; break
#else
    :: k < bres[b] && outc[att(b, k)] != NONE -> k++
    :: k < bres[b] && outc[att(b, k)] == NONE -> reply = k; break
#endif
    :: k >= bres[b] -> reply = NOTHING; break
    od;
#ifdef SKIP_AT_REDELIVERY
    if
    :: reply < N && msg(b, k) == 1 && opted ->
        outc[att(b, k)] = SKIP;
        m = 1;
        if
        :: st[1] != SENT -> not_sent(b)
        :: else
        fi;
        m = 0;
        reply = NOTHING
    :: else
    fi;
#endif
    k = 0;
    if
    :: reply == NOTHING && want ->
        do
        :: bres[b] == len(b) -> break
        :: bres[b] < len(b) ->
            m = msg(b, bres[b]);
            k = att(b, bres[b]);
            RULE(inv2_fencing, bst[b] == LEASED && bep[b] == e);
            if
#ifndef RESEND_IGNORES_RECEIPT
            :: st[m] == SENT -> outc[k] = SKIP; bres[b]++
            :: st[m] != SENT && m == 1 && opted -> outc[k] = SKIP; bres[b]++; not_sent(b)
            :: st[m] != SENT && !(m == 1 && opted) ->
#else
            :: m == 1 && opted -> outc[k] = SKIP; bres[b]++; not_sent(b)
            :: !(m == 1 && opted) ->
#endif
                INV(inv4_never_resend_sent, st[m] != SENT);
                reply = bres[b];
                resv[k] = e;
                bres[b]++;
                st[m] = SENDING;
                break
            fi
        od;
        m = 0; k = 0
    :: else
    fi;
    /* Everything reserved and every row has its outcome: the batch is completed. */
    if
    :: reply == NOTHING && bres[b] == len(b) ->
        do
        :: k < len(b) && outc[att(b, k)] != NONE -> k++
        :: k < len(b) && outc[att(b, k)] == NONE -> break
        :: k == len(b) -> bst[b] = COMPLETED; bfloor[b] = 0; reply = DROP; break
        od;
        k = 0
    :: else
    fi
}

inline advance(b, e, seen, p, o, want) {
    if
#ifndef NO_FENCING
    :: bep[b] != e || bst[b] != LEASED -> reply = STALE
    :: bep[b] == e && bst[b] == LEASED ->
#else
    :: bst[b] == COMPLETED -> reply = STALE
    :: bst[b] != COMPLETED ->
#endif
        record(b, e, p, o);
        reserve(b, e, seen, want)
    fi;
    books()
}

/* With dedupe, a late request of a message that was shown changes nothing, and two do as one. */
#ifdef DEDUPE
#ifndef RESEND_ON_OTHER_CHANNEL
#define keep_late(k, x) late[x] = (shown[x] == 0)
#endif
#endif
#ifndef keep_late
#define keep_late(k, x) late[k] = 1
#endif

/* The provider takes message x. With dedupe it shows the same id once, on the same channel. */
inline take(x, second) {
    if
#ifdef DEDUPE
#ifdef RESEND_ON_OTHER_CHANNEL
    :: shown[x] > 0 && !second -> skip
    :: shown[x] == 0 || second -> shown[x]++
#else
    :: shown[x] > 0 -> skip
    :: shown[x] == 0 -> shown[x]++; late[x] = 0
#endif
#else
    :: true -> shown[x]++
#endif
    fi;
    INV(inv4_at_most_once, shown[x] <= 1 + op[x]);
    INV(inv4_failed_is_not_taken, st[x] != FAILED && st[x] != SKIPPED)
}

inline forget() {
    ph[i] = IDLE; rb[i] = NB; re[i] = 0; rseen[i] = 0; rpos[i] = 0; rout[i] = NONE
}

/* One call to the provider: its answer, or a time-out (request taken, lost, or still on its way). */
inline call_provider() {
    k = att(rb[i], rpos[i]);
    m = msg(rb[i], rpos[i]);
    RULE(inv1_reserve_then_send, resv[k] == re[i]);
    if
    :: printf("runner %d sends message %d: accepted\n", i, m); take(m, (rb[i] != 0)); rout[i] = ACCEPTED
    :: printf("runner %d sends message %d: taken, answer lost\n", i, m);
       take(m, (rb[i] != 0)); rout[i] = DOUBT
    :: printf("runner %d sends message %d: refused\n", i, m); rout[i] = REFUSED
    :: printf("runner %d sends message %d: no answer yet, time-out\n", i, m);
       rout[i] = DOUBT; keep_late(k, m)
    fi;
    resv[k] = 0;
    k = 0; m = 0;
    ph[i] = ASK
}

#define holds(x, b)  (ph[x] != IDLE && rb[x] == (b) && re[x] == bep[b])
#if R == 2
#define held(b) (holds(0, b) || holds(1, b))
#else
#define held(b) (holds(0, b) || holds(1, b) || holds(2, b))
#endif

/* Idle runners know nothing, so they are all alike: it is enough to let the first of them take the lease. */
#ifdef LIVENESS
#define my_turn(x) true
#else
#define my_turn(x) ((x) == 0 || (ph[0] != IDLE && ((x) == 1 || ph[1] != IDLE)))
#endif

/* ---- the runner ----------------------------------------------------------------------------------- */

proctype runner(byte i) {
    byte k, m, v, reply, b;
    bit checked;
end:
    do
    :: atomic { ph[i] == IDLE && any_ready && my_turn(i) ->    /* lease_batch */
        if
        :: bst[0] == READY -> b = 0
        :: bst[1] == READY -> b = 1
        :: bst[2] == READY -> b = 2
#if N > 2
        :: bst[3] == READY -> b = 3
#endif
        fi;
        bep[b]++;
        bst[b] = LEASED;
        bfloor[b] = bres[b];
        if
        :: ph[i] = ASK; rb[i] = b; re[i] = bep[b];
           printf("runner %d leases batch %d, epoch %d\n", i, b, bep[b]);
#ifdef REDELIVER_ANY_EPOCH
           rseen[i] = 0
#else
           rseen[i] = bres[b]
#endif
        :: losses < LOSSES -> losses++;                         /* nobody knows that it has the lease */
           printf("runner %d leases batch %d, epoch %d, but the reply is lost\n", i, b, bep[b])
        fi;
        b = 0
       }

#ifdef SEND_BEFORE_RESERVATION
    :: atomic { ph[i] == ASK && rout[i] == NONE && rseen[i] < len(rb[i]) && bst[rb[i]] == LEASED ->
        rpos[i] = rseen[i];
        call_provider();
        rseen[i] = rpos[i] + 1
       }
    :: atomic { ph[i] == ASK && rout[i] != NONE ->
        if
        :: bep[rb[i]] == re[i] && bst[rb[i]] == LEASED ->
            bres[rb[i]] = rpos[i] + 1;
            if
            :: st[msg(rb[i], rpos[i])] != SENT -> st[msg(rb[i], rpos[i])] = SENDING
            :: else
            fi;
            resv[att(rb[i], rpos[i])] = re[i];
            advance(rb[i], re[i], rseen[i], rpos[i], rout[i], false);
            rout[i] = NONE; rpos[i] = 0
        :: else -> reply = STALE
        fi;
        if
        :: reply == STALE || reply == DROP -> forget()
        :: else
        fi;
        reply = 0
       }
    :: atomic { ph[i] == ASK && rout[i] == NONE && rseen[i] == len(rb[i]) ->
        advance(rb[i], re[i], rseen[i], rpos[i], rout[i], false); forget(); reply = 0 }
#else
    :: atomic { ph[i] == ASK ->                                /* advance_batch */
        if
        :: advance(rb[i], re[i], rseen[i], rpos[i], rout[i], true)
        :: rout[i] != NONE -> advance(rb[i], re[i], rseen[i], rpos[i], rout[i], false)
        fi;
        if
        :: reply == STALE -> printf("runner %d is refused: stale epoch %d\n", i, re[i]); forget()
        :: reply == DROP -> printf("runner %d reports; batch %d is completed\n", i, rb[i]); forget()
        :: reply == NOTHING -> printf("runner %d reports; nothing to send\n", i); rpos[i] = 0; rout[i] = NONE
        :: reply < N ->
            rpos[i] = reply;
            rseen[i] = reply + 1;
            printf("runner %d is handed message %d, epoch %d\n", i, msg(rb[i], reply), re[i]);
#ifdef REDELIVERY_UNCHECKED
            if
            :: true -> INV(inv7_opt_out, !opted || msg(rb[i], reply) != 1); rout[i] = NONE; ph[i] = SEND
            fi
#else
            if
            :: opted && msg(rb[i], reply) == 1 -> rout[i] = SKIP /* opted out since: report it unsent */
            :: else -> rout[i] = NONE; ph[i] = SEND
            fi
#endif
#ifdef LOST_REPLIES
        :: reply != STALE && losses < LOSSES -> losses++
#else
        :: true ->                                             /* ask again, nothing learnt */
            printf("runner %d calls advance (epoch %d), the reply is lost\n", i, re[i])
#endif
        fi;
        reply = 0
       }
#ifdef DELAYED
    :: atomic { ph[i] == ASK && gb == NB ->                    /* the connection broke before the call ran */
        printf("runner %d calls advance (epoch %d); the connection breaks before it runs\n", i, re[i]);
        gb = rb[i]; ge = re[i]; gseen = rseen[i]; gpos = rpos[i]; gout = rout[i]
       }
#endif
#endif

#ifndef LOOKUP
    :: atomic { ph[i] == SEND -> call_provider() }
#else
#ifdef CHECK_THEN_SEND
    :: atomic { ph[i] == SEND && !checked ->
        if
        :: dead[att(rb[i], rpos[i])] -> rout[i] = REFUSED; ph[i] = ASK
        :: else ->                                             /* frozen here, it sends hours later */
            printf("runner %d is still in time for message %d\n", i, msg(rb[i], rpos[i]));
            checked = 1
        fi
       }
    :: atomic { ph[i] == SEND && checked -> call_provider(); checked = 0 }
#else
    :: atomic { ph[i] == SEND ->
        if
#ifndef EARLY_LOOKUP
        :: dead[att(rb[i], rpos[i])] -> rout[i] = REFUSED; ph[i] = ASK
        :: else -> call_provider()
#else
        :: call_provider()
#endif
        fi
       }
#endif
#endif

    :: atomic { ph[i] != IDLE && re[i] != bep[rb[i]] -> forget(); checked = 0 }  /* a zombie is killed */
    :: atomic { ph[i] != IDLE && re[i] == bep[rb[i]] && losses < LOSSES ->  /* killed; a new one starts */
        printf("runner %d is killed\n", i); losses++; forget(); checked = 0
#ifdef LIVENESS
        ; if
          :: i > 0 -> break                                    /* ... or never starts again; runner 0 does */
          :: true
          fi
#endif
       }
    :: atomic { ph[i] == ASK && rout[i] == NONE && re[i] == bep[rb[i]] && bst[rb[i]] == LEASED &&
                losses < LOSSES ->                          /* release_batch */
        printf("runner %d releases batch %d\n", i, rb[i]); losses++; end_lease(rb[i]); forget(); books()
       }
    od
}

/* ---- tick, in whichever runner is alive ----------------------------------------------------------- */

proctype tick() {
    byte k, m, v, b;
end:
    do
    :: atomic {                                                /* reap */
        if
        :: bst[0] == LEASED && (!held(0) || losses < LOSSES) -> b = 0
        :: bst[1] == LEASED && (!held(1) || losses < LOSSES) -> b = 1
        :: bst[2] == LEASED && (!held(2) || losses < LOSSES) -> b = 2
#if N > 2
        :: bst[3] == LEASED && (!held(3) || losses < LOSSES) -> b = 3
#endif
        fi;
        if
        :: held(b) -> losses++                                 /* it expired under a runner that is alive */
        :: else
        fi;
        printf("tick reaps batch %d\n", b); end_lease(b); books(); b = 0
       }
#ifdef AUTO_RESEND
    :: atomic {
        if
        :: waits(0) -> queue_again(0)
        :: waits(1) -> queue_again(1)
#if N > 2
        :: waits(2) -> queue_again(2)
#endif
        fi;
        books()
       }
#endif
    od
}

/* ---- everybody else ------------------------------------------------------------------------------- */

/* Requests that were thought lost. */
#define ARRIVE(x) late[x] -> printf("the late request of message %d arrives\n", (x % N)); \
                  late[x] = 0; take((x % N), (x >= N))
proctype network() {
end:
    do
    :: atomic {
        if
        :: ARRIVE(0)
        :: ARRIVE(1)
        :: ARRIVE(2)
        :: ARRIVE(3)
#if N > 2
        :: ARRIVE(4)
        :: ARRIVE(5)
#endif
        fi
       }
    od
}

#ifndef LIVENESS
/* A receipt of a message that is known as sent changes nothing, so it is left out. */
#define SETTLE(x)  shown[x] > 0 && st[x] != SENT -> printf("a receipt of message %d\n", x); \
                   rcpt[x] = 1; st[x] = SENT
#define RESEND(x)  st[x] == IN_DOUBT && bst[1 + x] == UNUSED -> \
                   printf("operator: send message %d again\n", x); op[x] = 1; queue_again(x)

proctype people() {
    byte m, v;
end:
    do
    :: atomic {                                                /* a receipt, or a lookup that found it */
        if
        :: SETTLE(0)
        :: SETTLE(1)
#if N > 2
        :: SETTLE(2)
#endif
        fi;
        books()
       }
#ifdef OPERATOR
    :: atomic {                                                /* resolve_in_doubt: send it again */
        if
        :: RESEND(0)
        :: RESEND(1)
#if N > 2
        :: RESEND(2)
#endif
        fi;
        books()
       }
#endif
#ifdef OPT_OUT
    :: atomic { !opted -> printf("recipient of message 1 opts out\n"); opted = 1 }
#endif
    od
}
#endif

#ifdef LOOKUP
/* The deadline of an attempt passes; only after that may a lookup prove that it was not taken. */
#define DEADLINE(x) outc[x] == DOUBT && !dead[x] -> \
                    printf("the deadline of message %d passes\n", x); dead[x] = 1; late[x] = 0
#ifdef EARLY_LOOKUP
#define waited(x) true
#else
#define waited(x) dead[x]
#endif
#define LOOK(x) st[x] == IN_DOUBT && bst[1 + x] == UNUSED && waited(x) && shown[x] == 0 -> \
                printf("a lookup of message %d says absent\n", x); outc[x] = ABSENT; queue_again(x)
proctype lookup() {
    byte m, v;
end:
    do
#ifndef EARLY_LOOKUP
    :: atomic {
        if
        :: DEADLINE(0)
        :: DEADLINE(1)
#if N > 2
        :: DEADLINE(2)
#endif
        fi
       }
#endif
    :: atomic {
        if
        :: LOOK(0)
        :: LOOK(1)
#if N > 2
        :: LOOK(2)
#endif
        fi;
        books()
       }
    od
}
#endif

#ifdef DELAYED
/* A broken call of advance runs after all. Its reply goes nowhere. */
proctype database() {
    byte k, m, v, reply, i;
end:
    do
    :: atomic { gb != NB ->
        printf("the broken call (epoch %d) runs after all\n", ge);
        advance(gb, ge, gseen, gpos, gout, true);
#ifdef TWO_CALLS_AT_ONCE
        if
        :: reply < N && holds(0, gb) && re[0] == ge && ph[0] != SEND -> i = 0;
           rpos[0] = reply; rout[0] = NONE; call_provider()
        :: else
        fi;
#endif
        gb = NB; ge = 0; gseen = 0; gpos = 0; gout = 0; reply = 0
       }
    od
}
#endif

/* When nothing can move any more, everything must have ended. */
proctype watch() {
end:
    timeout -> INV(inv9_never_stuck, all_closed && all_ended)
}

init {
    byte x;
    atomic {
        bst[0] = READY;
        do
        :: x < R -> rb[x] = NB; x++
        :: else -> break
        od;
        x = 0;
        run runner(0);
        run runner(1);
#if R > 2
        run runner(2);
#endif
        run tick();
        run network();
#ifndef LIVENESS
        run people();
        run watch();
#endif
#ifdef LOOKUP
        run lookup();
#endif
#ifdef DELAYED
        run database();
#endif
    }
}

#ifdef LIVENESS
ltl inv9_recovery_needs_nobody { <> (all_closed && all_ended) }
#endif
