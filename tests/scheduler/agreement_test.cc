#include "scheduler/agreement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(Agreement, TablesTimesShardsHaveALimit) {
  ClusterConfig cluster;
  cluster.num_shards = 256;
  EXPECT_EQ(too_many_tables(4096, cluster), "");
  EXPECT_THAT(too_many_tables(4097, cluster),
              testing::HasSubstr("4097 tables in 256 shards are 1048832 parts"));
  cluster.num_shards = 16;
  EXPECT_EQ(too_many_tables(8192, cluster), "");
}

}  // namespace
}  // namespace capstan
