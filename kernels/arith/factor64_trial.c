/* Trial division one number at a time. See factor64_trial.h. */
#include "arith/factor64_trial.h"

#include <string.h>

/* The inverse mod 2^64 as a constant expression; see mont64_inverse. */
#define INV5(p) ((3 * UINT64_C(p)) ^ 2)
#define NEWTON(p, x) ((x) * (2 - UINT64_C(p) * (x)))
#define INV10(p) NEWTON(p, INV5(p))
#define INV20(p) NEWTON(p, INV10(p))
#define INV40(p) NEWTON(p, INV20(p))
#define INV80(p) NEWTON(p, INV40(p))
#define P(p) {p, INV80(p), UINT64_MAX / (p)},

const struct trial_prime trial_primes[TRIAL_PRIMES] = {
    /* clang-format off */
    P(3) P(5) P(7) P(11) P(13) P(17) P(19) P(23) P(29) P(31) P(37) P(41) P(43) P(47)
    P(53) P(59) P(61) P(67) P(71) P(73) P(79) P(83) P(89) P(97) P(101) P(103) P(107)
    P(109) P(113) P(127) P(131) P(137) P(139) P(149) P(151) P(157) P(163) P(167) P(173)
    P(179) P(181) P(191) P(193) P(197) P(199) P(211) P(223) P(227) P(229) P(233) P(239)
    P(241) P(251) P(257) P(263) P(269) P(271) P(277) P(281) P(283) P(293) P(307) P(311)
    P(313) P(317) P(331) P(337) P(347) P(349) P(353) P(359) P(367) P(373) P(379) P(383)
    P(389) P(397) P(401) P(409) P(419) P(421) P(431) P(433) P(439) P(443) P(449) P(457)
    P(461) P(463) P(467) P(479) P(487) P(491) P(499) P(503) P(509) P(521) P(523) P(541)
    P(547) P(557) P(563) P(569) P(571) P(577) P(587) P(593) P(599) P(601) P(607) P(613)
    P(617) P(619) P(631) P(641) P(643) P(647) P(653) P(659) P(661) P(673) P(677) P(683)
    P(691) P(701) P(709) P(719) P(727) P(733) P(739) P(743) P(751) P(757) P(761) P(769)
    P(773) P(787) P(797) P(809) P(811) P(821) P(823) P(827) P(829) P(839) P(853) P(857)
    P(859) P(863) P(877) P(881) P(883) P(887) P(907) P(911) P(919) P(929) P(937) P(941)
    P(947) P(953) P(967) P(971) P(977) P(983) P(991) P(997) P(1009) P(1013) P(1019)
    /* clang-format on */
};

void trial_scalar(struct trial *t, const uint64_t *n, size_t count)
{
    uint8_t *stream = t->stream;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *begin = stream;
        uint64_t v = n[i] ? n[i] : 1;
        unsigned k = 0;
        t->twos[i] = (uint8_t)__builtin_ctzll(v);
        v >>= t->twos[i];
        for (; k < TRIAL_PRIMES && trial_primes[k].p * trial_primes[k].p <= v; k++)
            v = trial_divide(v, k, &stream);
        if (v > 1 && v <= TRIAL_LAST) { /* a prime; it belongs to the table */
            while (trial_primes[k].p < v)
                k++;
            v = trial_divide(v, k, &stream);
        }
        t->rest[i] = v;
        t->bytes[i] = (uint8_t)(stream - begin);
    }
    memset(stream, 0, TRIAL_AHEAD);
}
