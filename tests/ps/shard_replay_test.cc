// A shard and its replicas: the same records make the same bytes, from the beginning or from any point on.
#include <gtest/gtest.h>

#include "common/rng.h"
#include "tests/ps/pushed.h"

namespace capstan {
namespace {

constexpr std::uint32_t kSlots = 3;

struct Twin {
  explicit Twin(const std::vector<TableSpec>& tables, bool combine) : combines(combine), specs(tables) {
    declare(*original);
    declare(*replica);
  }
  void declare(Shard& shard) const { shard.declare({specs, combines ? kSlots : 0, combines}); }
  // Does it to the original and records it, as a server does.
  SliceStatus push(const PushedSlice& slice, std::uint32_t now) {
    const PushOutcome outcome = original->push(slice, now);
    if (!outcome.changed) return outcome.status;
    replica->replay(record_of(slice, outcome, now, specs));
    return outcome.status;
  }
  void evict(std::uint32_t now, std::uint64_t bytes_max) {
    const Eviction eviction = original->evict(now, bytes_max);
    if (!eviction.changed) return;
    ShardRecord record;
    record.head.kind = RecordKind::kEvict;
    record.head.now_seconds = now;
    record.head.evicted = eviction.counts;
    replica->replay(record);
  }
  void forget(std::uint32_t pass) {
    if (!original->forget_below(pass, 0)) return;
    ShardRecord record;
    record.head.kind = RecordKind::kForget;
    record.head.pass = pass;
    replica->replay(record);
  }
  void replace(const Buffer& bytes, std::uint64_t fence) {
    ASSERT_TRUE(original->restore(bytes.bytes(), fence).ok());
    ShardRecord record;
    record.head.kind = RecordKind::kReplace;
    record.head.term = fence;
    record.blob = bytes;
    replica->replay(record);
  }
  // A new replica in the old one's place, from the original's bytes.
  void teach() {
    replica = std::make_unique<Shard>(0, kShards);
    declare(*replica);
    ASSERT_TRUE(replica->load_all(original->save_all().bytes()).ok());
  }
  bool equal() const {
    constexpr auto kByKey = Shard::RowOrder::kByKey;
    return original->save_all(kByKey).text() == replica->save_all(kByKey).text();
  }

  bool combines;
  std::vector<TableSpec> specs;
  std::unique_ptr<Shard> original = std::make_unique<Shard>(0, kShards);
  std::unique_ptr<Shard> replica = std::make_unique<Shard>(0, kShards);
};

std::uint64_t pushes_by_staleness(const Shard& shard) {
  std::uint64_t pushes = 0;
  for (const std::uint64_t bucket : shard.stats().staleness) pushes += bucket;
  return pushes;
}

std::vector<TableSpec> some_tables() {
  TableSpec limited = sum_table("limited", 2);
  limited.min_count = 2;
  limited.max_rows = 100;
  limited.optimizer = {.kind = OptimizerKind::kAdam, .learning_rate = 0.1F, .schedule = {}};
  TableSpec timed = sum_table("timed", 3);
  timed.ttl_seconds = 40;
  timed.optimizer = {.kind = OptimizerKind::kAdagrad, .learning_rate = 0.1F, .schedule = {}};
  TableSpec brief = sum_table("brief", 3);
  brief.dtype = Dtype::kBfloat16;
  TableSpec half = sum_table("half", 1);
  half.dtype = Dtype::kFloat16;
  half.optimizer = {.kind = OptimizerKind::kAdam, .learning_rate = 0.1F, .schedule = {}};
  return {limited, brief, timed, half};
}

// Mostly the batch after `last`, now and then a repeated one or one too early; mostly under the newest term.
PushedSlice random_slice(Rng& rng, const std::vector<TableSpec>& specs, const std::vector<Key>& keys,
                         std::uint32_t partition, std::uint64_t last, std::uint64_t term) {
  PushedSlice slice;
  slice.partition = partition;
  slice.term = rng.chance(0.05) ? term - 1 : term;
  slice.sequence = rng.chance(0.8) ? last + 1 : last + 2 * rng.below(2);
  slice.previous = slice.sequence == 0 ? 0 : slice.sequence - 1;
  std::vector<Key> chosen;
  std::vector<std::byte> values;
  for (std::uint32_t table = 0; table < specs.size(); ++table) {
    std::uint32_t count = 0;
    std::vector<float> gradients;
    for (const Key key : keys) {
      if (!rng.chance(0.2)) continue;
      chosen.push_back(key);
      ++count;
      for (std::uint32_t d = 0; d < specs[table].dim; ++d) {
        gradients.push_back(static_cast<float>(rng.uniform()) - 0.5F);
      }
    }
    slice.sections.push_back({table, count});
    if (rng.chance(0.02) && !gradients.empty()) gradients[0] = 1e30F / 0.0F;
    const std::size_t at = values.size();
    values.resize(at + section_bytes(specs[table], count));
    narrow(of_gradients(specs[table].dtype), gradients.data(), gradients.size(), values.data() + at);
  }
  slice.keys_owner = Buffer::adopt(chosen);
  slice.gradients_owner = Buffer::adopt(values);
  slice.keys = slice.keys_owner.as<Key>().data();
  slice.gradients = slice.gradients_owner.data();
  return slice;
}

void run(bool combines) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Rng rng(seed);
    Twin twin(some_tables(), combines);
    std::vector<Key> keys;
    for (std::uint32_t n = 0; n < 60; ++n) keys.push_back(key_of(0, n));
    std::map<std::uint32_t, std::uint64_t> last, at_checkpoint;
    Buffer checkpoint;
    std::uint32_t now = 1000;
    std::uint64_t term = 2;
    for (int step = 0; step < 200; ++step) {
      now += static_cast<std::uint32_t>(rng.below(4));
      const auto partition = static_cast<std::uint32_t>(rng.below(kSlots));
      const std::uint64_t at = combines ? twin.original->clock().steps : last[partition];
      const PushedSlice slice = random_slice(rng, twin.specs, keys, partition, at, term);
      const SliceStatus status = twin.push(slice, now);
      if (status == SliceStatus::kOk || status == SliceStatus::kRefused) last[partition] = slice.sequence;
      const std::uint64_t bytes = twin.original->stats().bytes;
      if (rng.chance(0.1)) twin.evict(now, rng.chance(0.3) ? bytes - 500 : bytes + 4000);
      if (rng.chance(0.05)) twin.teach();
      if (step == 60) {
        checkpoint = twin.original->snapshot_after(0, 0, 1)->bytes;
        at_checkpoint = last;
      }
      if (step == 120 && seed % 3 == 0) {
        twin.replace(checkpoint, 1);
        term = 4;  // that fences all terms seen
        last = at_checkpoint;
      }
      if (step == 180 && seed % 5 == 0) twin.forget(1);
      if (step % 10 == 9) {
        ASSERT_TRUE(twin.equal()) << "seed " << seed << ", step " << step;
      }
    }
    EXPECT_GT(twin.original->version(), 15U) << "seed " << seed;
    EXPECT_GT(twin.original->table(0).size() + twin.original->table(1).size(), 10U) << "seed " << seed;
  }
}

TEST(ShardReplay, RecordsMakeTheSameBytes) {
  run(false);
}
TEST(ShardReplay, RecordsMakeTheSameBytesInSync) {
  run(true);
}

// A member that learns later refuses what the others refuse.
TEST(ShardReplay, WhoLearnsKnowsWhichDirectStreamsAreClosed) {
  Twin twin(some_tables(), false);
  const std::uint64_t closed = (std::uint64_t{1} << 32) + 9;
  ASSERT_TRUE(twin.original->forget_below(0, closed));
  ShardRecord record;
  record.head.kind = RecordKind::kForget;
  record.head.term = closed;
  twin.replica->replay(record);
  EXPECT_TRUE(twin.equal());
  EXPECT_EQ(twin.replica->window().direct_fence(), closed);
  twin.teach();
  EXPECT_TRUE(twin.equal());
  EXPECT_EQ(twin.replica->window().direct_fence(), closed);
}

// A scheduler that begins anew fences older terms, and its word may come before a record of one.
TEST(ShardReplay, WhatThePrimaryTookIsNotFencedByAWordThatCameSince) {
  for (const bool combines : {false, true}) {
    Twin twin(some_tables(), combines);
    twin.replica->declare({twin.specs, combines ? kSlots : 0, combines, std::uint64_t{1} << 32});
    Rng rng(1);
    for (std::uint32_t partition = 0; partition < kSlots; ++partition) {
      PushedSlice slice = random_slice(rng, twin.specs, {key_of(0, 1), key_of(0, 2)}, partition, 0, 2);
      slice.term = 2;
      slice.sequence = 1;
      slice.previous = 0;
      EXPECT_NE(twin.push(slice, 1000), SliceStatus::kFenced);
    }
    twin.original->declare({twin.specs, combines ? kSlots : 0, combines, std::uint64_t{1} << 32});
    EXPECT_TRUE(twin.equal()) << combines;
  }
}

// In sync: what is refused takes part as an empty slice, and is counted when its step is complete.
TEST(ShardReplay, AReplicaThatComesWhileARefusedSliceWaitsCountsItAsRefused) {
  Twin twin(some_tables(), true);
  Rng rng(1);
  const auto slice = [&](std::uint32_t partition) {
    PushedSlice made = random_slice(rng, twin.specs, {key_of(0, 1), key_of(0, 2)}, partition, 0, 2);
    made.term = 2;
    made.sequence = 1;
    made.previous = 0;
    return made;
  };
  PushedSlice refused = slice(0);
  refused.malformed = true;
  EXPECT_EQ(twin.push(refused, 1000), SliceStatus::kRefused);
  twin.teach();
  for (std::uint32_t partition = 1; partition < kSlots; ++partition) twin.push(slice(partition), 1000);
  EXPECT_EQ(twin.original->stats().pushes_refused, 1U);
  EXPECT_EQ(twin.replica->stats().pushes_refused, 1U);
  EXPECT_TRUE(twin.equal());
}

TEST(ShardReplay, BytesThatAreNoShardAreRefused) {
  Twin twin(some_tables(), true);
  const Buffer bytes = twin.original->save_all();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Shard shard(0, kShards);
    twin.declare(shard);
    ASSERT_FALSE(shard.load_all(bytes.bytes().first(size)).ok()) << size;
  }
  Shard other(1, kShards);
  twin.declare(other);
  EXPECT_FALSE(other.load_all(bytes.bytes()).ok()) << "another shard's";
}

// Records do not tell which version was pulled, so a copy knows nothing of staleness until it leads.
TEST(ShardReplay, ACopyCountsNoStaleness) {
  Twin twin({sum_table()}, false);
  const Key key = key_of(0);
  const float gradient = 1.0F;
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    PushedSlice slice;
    slice.term = 1;
    slice.sequence = sequence;
    slice.previous = sequence - 1;
    slice.keys_owner = Buffer::copy_of(std::span(&key, 1));
    slice.gradients_owner = Buffer::copy_of(std::span(&gradient, 1));
    slice.sections = {{0, 1}};
    slice.keys = slice.keys_owner.as<Key>().data();
    slice.gradients = slice.gradients_owner.as<float>().data();
    ASSERT_EQ(twin.push(slice, 0), SliceStatus::kOk);
  }
  EXPECT_TRUE(twin.equal());
  EXPECT_EQ(pushes_by_staleness(*twin.original), 5U);
  EXPECT_EQ(pushes_by_staleness(*twin.replica), 0U);
}

}  // namespace
}  // namespace capstan
