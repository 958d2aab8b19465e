// CAPSTAN_ASSERT: a broken invariant ends the process, in every build. Never used on a peer's bytes or a
// user's input.
#pragma once

namespace capstan {

[[noreturn]] void assert_failed(const char* condition, const char* message, const char* file, int line);

}  // namespace capstan

#define CAPSTAN_ASSERT(condition, message) \
  ((condition) ? static_cast<void>(0) : ::capstan::assert_failed(#condition, message, __FILE__, __LINE__))
