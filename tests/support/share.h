/* Campaigns of thousands of random cases run whole without sanitizers; with them each case takes ten times
 * as long, and a tenth of the cases is run: the sanitizers look at every line that the cases come to. */
#ifndef COLLEGA_TESTS_SUPPORT_SHARE_H
#define COLLEGA_TESTS_SUPPORT_SHARE_H

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TESTS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TESTS_SANITIZED 1
#endif

#ifdef TESTS_SANITIZED
#define TESTS_SHARE(cases) ((cases) / 10)
#else
#define TESTS_SHARE(cases) (cases)
#endif
#endif
