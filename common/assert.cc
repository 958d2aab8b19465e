#include "common/assert.h"

#include <cstdio>
#include <cstdlib>

namespace capstan {

void assert_failed(const char* condition, const char* message, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace capstan
