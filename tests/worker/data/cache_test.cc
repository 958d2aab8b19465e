#include "worker/data/cache.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <spdlog/fmt/fmt.h>

#include <filesystem>

#include "common/adapters/disk_files.h"
#include "common/hash.h"
#include "tests/worker/data/movielens_fixture.h"
#include "worker/data/build.h"
#include "worker/data/cache_layout.h"
#include "worker/data/fingerprint.h"

namespace capstan {
namespace {

std::uint64_t prepared_print(const JobConfig& job) {
  return fingerprints_of(job)->prepared;
}

// Everything of a dataset as text.
struct Printer {
  std::string text;
  void operator()(const std::string& name, Buffer& block) {
    text += name + ":" + std::string(block.text()) + "\n";
  }
  void operator()(const std::string& name, std::vector<std::string>& words) {
    text += name;
    for (const auto& word : words) text += "," + word;
  }
  void operator()(const std::string& name, std::vector<std::vector<std::uint32_t>>& lists) {
    text += name;
    for (const auto& list : lists) {
      text += ";";
      for (const auto item : list) text += std::to_string(item) + ",";
    }
  }
};

std::string print(Dataset data) {
  Printer printer;
  for_each_block(printer, data);
  for (const auto& field : data.fields) {
    printer.text +=
        fmt::format("\n{} {} {} {} {} {} {}", field.name, field.table, static_cast<int>(field.source),
                    field.dense, field.list, static_cast<int>(field.pooling), field.cardinality);
  }
  printer.text += fmt::format("\n{} {} {} {} {} {}", static_cast<int>(data.task), data.num_users,
                              data.num_items, data.train.size, data.valid.size, data.test.size);
  return printer.text + data.summary;
}

class Cache : public testing::Test {
 protected:
  Cache() : job(ranking_job(dir, write_ml_latest(dir))) {
    FeatureConfig genres;
    genres.name = "genres";
    genres.columns = {"genres"};
    genres.transform = {{"split", {}}, {"vocab", {}}};
    FeatureConfig counter;
    counter.name = "counter";
    counter.columns = {"item"};
    counter.transform = {{"counter", {}}};
    job.features = {genres, counter};
    job.data.test_candidates = dir.write("negatives", "(3,30)\t10\t20\n(7,10)\t20\n");
    job.data.split.test = 0.5;
    job.data.split.valid = 0.0;
    folder =
        dir.path("work/data/") + fmt::format("{:016x}", combine(prepared_print(job), job.data.max_bad_lines));
  }
  void damage(const std::string& path, std::size_t at) {
    std::string bytes = dir.read(path.substr(dir.path().size() + 1));
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    std::ofstream(path, std::ios::binary) << bytes;
  }
  TempDir dir;
  JobConfig job;
  std::string folder;
};

TEST_F(Cache, WhatIsMappedIsWhatWasBuilt) {
  const auto built = build_dataset(job, {});
  ASSERT_TRUE(built.ok()) << built.error().message;
  const auto first = prepare(job, {});
  ASSERT_TRUE(first.ok()) << first.error().message;
  std::vector<std::string> stages;
  const auto second = prepare(job, [&](std::string_view stage, double) { stages.emplace_back(stage); });
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(stages, std::vector<std::string>{"fingerprint"});  // nothing was built again
  EXPECT_EQ(print(*built), print(*first));
  EXPECT_EQ(print(*built), print(*second));
  EXPECT_EQ(first->fingerprint, prepared_print(job));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(second->train.labels.data()) % 64, 0U);
}

TEST_F(Cache, EveryDamagedByteIsFoundAndRepaired) {
  const auto first = prepare(job, {});
  ASSERT_TRUE(first.ok()) << first.error().message;
  const std::string whole = print(*first);
  const std::string columns = folder + "/columns.bin";
  const std::size_t size = std::filesystem::file_size(columns);
  std::size_t found = 0;
  for (std::size_t at = 0; at < size; at += 64) {  // the first byte of each block is data
    damage(columns, at);
    const auto damaged = map_prepared(folder, first->fingerprint);
    found += damaged.ok() ? 0 : 1;
    if (!damaged.ok()) {
      EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
    }
    const auto repaired = prepare(job, {});
    ASSERT_TRUE(repaired.ok());
    ASSERT_EQ(print(*repaired), whole);
    if (damaged.ok()) damage(columns, at);
  }
  EXPECT_EQ(found, size / 64);
}

TEST_F(Cache, EveryDamagedByteOfTheIndexIsFound) {
  const auto first = prepare(job, {});
  ASSERT_TRUE(first.ok()) << first.error().message;
  const std::string meta = dir.read(folder.substr(dir.path().size() + 1) + "/meta.json");
  const Buffer columns = DiskFiles().read(folder + "/columns.bin").value();
  const auto reads = [&](const std::string& text) {
    return read_prepared(Buffer::copy_of(std::string_view(text)), columns, folder, first->fingerprint).ok();
  };
  EXPECT_TRUE(reads(meta));
  for (std::size_t at = 0; at < meta.size(); ++at) {
    std::string damaged = meta;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_FALSE(reads(damaged)) << "byte " << at;
  }
}

// The checksums are right, the rows are not there.
TEST_F(Cache, BlocksThatDoNotFitTheSizesAreRefused) {
  const auto first = prepare(job, {});
  ASSERT_TRUE(first.ok()) << first.error().message;
  const auto problem = [&](auto change) {
    Dataset data = *first;
    change(data);
    DiskFiles files;
    EXPECT_TRUE(write_prepared(files, folder, data).ok());
    const auto read = map_prepared(folder, first->fingerprint);
    return read.ok() ? "" : read.error().message.substr(read.error().message.find("block "));
  };
  EXPECT_EQ(problem([](Dataset&) {}), "");
  EXPECT_EQ(problem([](Dataset& data) { ++data.train.size; }), "block train/labels does not fit the sizes");
  EXPECT_EQ(problem([](Dataset& data) {
              data.train.users = Buffer::adopt(std::vector<std::uint32_t>(data.train.size, 9));
            }),
            "block train/users does not fit the sizes");
  EXPECT_EQ(problem([](Dataset& data) { ++data.num_items; }), "block item/item does not fit the sizes");
  EXPECT_EQ(problem([](Dataset& data) { data.candidates.pop_back(); }),
            "block candidates does not fit the sizes");
  EXPECT_EQ(
      problem([](Dataset& data) { data.test_items.offsets = Buffer::adopt(std::vector<std::uint64_t>{0}); }),
      "block test_items does not fit the sizes");
}

TEST_F(Cache, AHalfWrittenCacheIsBuiltAgain) {
  const auto first = prepare(job, {});
  ASSERT_TRUE(first.ok());
  const std::string whole = print(*first);
  for (const char* file : {"/meta.json", "/columns.bin"}) {
    std::filesystem::resize_file(folder + file, std::filesystem::file_size(folder + file) / 2);
    EXPECT_FALSE(map_prepared(folder, first->fingerprint).ok());
    const auto again = prepare(job, {});
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(print(*again), whole);
    std::filesystem::remove(folder + file);
    EXPECT_TRUE(prepare(job, {}).ok());
  }
}

TEST_F(Cache, TheFingerprintFollowsSettingsAndBytes) {
  const std::uint64_t before = prepared_print(job);
  EXPECT_EQ(before, prepared_print(job));
  JobConfig other = job;
  other.seed += 1;  // this split draws nothing
  other.data.negatives.per_positive = 4;
  EXPECT_EQ(before, prepared_print(other));
  other.data.split.method = SplitMethod::kRatio;
  const std::uint64_t seeded = prepared_print(other);
  other.seed += 1;
  EXPECT_NE(seeded, prepared_print(other));
  other = job;
  other.features[0].transform[1].options["min_count"] = "2";
  EXPECT_NE(before, prepared_print(other));
  other = job;
  other.data.positive_from = 3.0;
  EXPECT_NE(before, prepared_print(other));
  dir.write("ml/ratings.csv", dir.read("ml/ratings.csv") + "3,40,5,70\n");
  EXPECT_NE(before, prepared_print(job));
}

TEST_F(Cache, TheRejectFileIsThereWhetherDataIsReusedOrNot) {
  job.data.max_bad_lines = 1;
  dir.write("ml/ratings.csv", dir.read("ml/ratings.csv") + "3,40,5,x\n");
  ASSERT_TRUE(prepare(job, {}).ok());  // nobody asked for one
  job.data.reject_file = dir.path("first");
  ASSERT_TRUE(prepare(job, {}).ok());
  const std::string bad = dir.read("first");
  EXPECT_NE(bad.find("'x' is not a number"), std::string::npos) << bad;
  std::filesystem::remove(dir.path("first"));
  const auto again = prepare(job, {});
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(dir.read("first"), bad);
  job.data.reject_file = dir.path("second");
  ASSERT_TRUE(prepare(job, {}).ok());
  EXPECT_EQ(dir.read("second"), bad);
  dir.write("second", "of other data");
  ASSERT_TRUE(prepare(job, {}).ok());
  EXPECT_EQ(dir.read("second"), bad);
}

TEST_F(Cache, WithoutBadLinesTheRejectFileIsEmpty) {
  job.data.reject_file = dir.write("rejected", "of other data");
  ASSERT_TRUE(prepare(job, {}).ok());
  EXPECT_TRUE(std::filesystem::exists(dir.path("rejected")));
  EXPECT_EQ(dir.read("rejected"), "");
}

TEST_F(Cache, ProcessesThatStartTogetherGetTheSame) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto data = prepare(job, {});
      ::_exit(data.ok() && data->train.size > 0 ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(map_prepared(folder, prepared_print(job)).ok());
}

}  // namespace
}  // namespace capstan
