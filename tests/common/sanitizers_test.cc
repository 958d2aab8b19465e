#include "common/sanitizers.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace capstan {
namespace {

// Whichever compiler: the sanitizer's own library is there with it, and only then.
TEST(Sanitizers, TheConstantSaysWhetherTheSanitizerIsThere) {
  EXPECT_EQ(kAddressSanitizer, dlsym(RTLD_DEFAULT, "__asan_init") != nullptr);
}

}  // namespace
}  // namespace capstan
