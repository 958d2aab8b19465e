#include "common/plain_name.h"

#include <gtest/gtest.h>

#include <string>

namespace capstan {
namespace {

TEST(PlainName, IsOneStepOfAPath) {
  for (const std::string good : {"ps-0", "films_2.1", "a", "..a"}) {
    EXPECT_TRUE(is_plain_name(good)) << good;
  }
  for (const std::string bad : {"", ".", "..", "../evil", "a/b", "a b", "\xc3\xa4"}) {
    EXPECT_FALSE(is_plain_name(bad)) << bad;
  }
  EXPECT_TRUE(is_plain_name(std::string(128, 'x')));
  EXPECT_FALSE(is_plain_name(std::string(129, 'x')));
}

}  // namespace
}  // namespace capstan
