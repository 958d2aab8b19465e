#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>

#include "common/adapters/disk_files.h"
#include "common/assert.h"
#include "common/bytes.h"
#include "common/hash.h"
#include "common/sealed_json.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/worker/data/movielens_fixture.h"
#include "worker/data/build.h"
#include "worker/data/cache.h"

namespace capstan {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kFingerprint = 7;

// The index of the blocks without its seal, then the blocks.
Buffer packed(const JobConfig& job) {
  auto data = build_dataset(job, {});
  CAPSTAN_ASSERT(data.ok(), "the seed's data cannot be built");
  data->fingerprint = kFingerprint;
  DiskFiles files;
  CAPSTAN_ASSERT(write_prepared(files, job.work_dir, *data).ok(), "the seed cannot be written");
  const Buffer meta = files.read(job.work_dir + "/meta.json").value();
  const Buffer columns = files.read(job.work_dir + "/columns.bin").value();
  CAPSTAN_ASSERT(read_prepared(meta, columns, "", kFingerprint).ok(), "the seed cannot be read");
  ByteWriter out;
  out.put_string(unseal_json("prepared", meta.text()).value());
  out.put_bytes(columns.bytes());
  return out.take();
}

// Films with lists, weights, candidates and times; clicks with words and numbers.
std::vector<Buffer> prepared() {
  const TempDir dir;
  JobConfig films = ranking_job(dir, write_ml_latest(dir));
  films.features.resize(1);
  films.features[0].name = "genres";
  films.features[0].columns = {"genres"};
  films.features[0].transform = {{"split", {}}, {"vocab", {}}};
  films.data.test_candidates = dir.write("negatives", "(3,30)\t10\t20\n(7,10)\t20\n");
  films.data.split.test = 0.5;
  films.data.split.valid = 0.0;
  JobConfig clicks;
  clicks.name = "clicks";
  clicks.work_dir = dir.path("clicks");
  clicks.data.format = DataFormat::kCsv;
  clicks.data.train = {dir.write("clicks.csv", "label,a,n\n1,x,0.5\n0,y,1.5\n1,x,2\n")};
  clicks.data.label = "label";
  for (const std::string& column : {std::string("a"), std::string("n")}) {
    FeatureConfig& feature = clicks.features.emplace_back();
    feature.name = column;
    feature.columns = {column};
  }
  clicks.features[0].transform = {{"vocab", {}}};
  return {packed(films), packed(clicks)};
}

// Whoever wrote it took the checksums of what it wrote.
std::string sealed(std::string_view meta, std::span<const std::byte> columns) {
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(meta.data(), meta.size()), error);
  json::value* blocks = !error && value.is_object() ? value.get_object().if_contains("blocks") : nullptr;
  if (blocks == nullptr || !blocks->is_array()) return seal_json("prepared", meta);
  for (json::value& block : blocks->get_array()) {
    json::object* entry = block.if_object();
    if (entry == nullptr || !entry->contains("offset") || !entry->contains("size")) continue;
    const auto offset = entry->at("offset").to_number<std::uint64_t>(error);
    const auto size = error ? 0 : entry->at("size").to_number<std::uint64_t>(error);
    if (error || offset > columns.size() || size > columns.size() - offset) continue;
    (*entry)["xxh3"] = fmt::format("{:016x}", hash_bytes(columns.subspan(offset, size)));
  }
  return seal_json("prepared", json::serialize(value));
}

template <typename T>
T at(const Buffer& block, std::uint64_t i) {
  const auto values = block.as<T>();
  CAPSTAN_ASSERT(i < values.size(), "a row of prepared data is not there");
  return values[i];
}

void walk(const FieldColumn& column, bool dense, std::uint64_t rows) {
  for (std::uint64_t row = 0; row < rows; ++row) {
    if (dense) {
      at<float>(column.values, row);
      continue;
    }
    const bool one = column.offsets.empty();
    const std::uint64_t begin = one ? row : at<std::uint64_t>(column.offsets, row);
    const std::uint64_t end = one ? row + 1 : at<std::uint64_t>(column.offsets, row + 1);
    CAPSTAN_ASSERT(begin <= end, "a list of prepared data ends before it begins");
    for (std::uint64_t i = begin; i < end; ++i) {
      at<Key>(column.keys, i);
      if (!column.weights.empty()) at<float>(column.weights, i);
    }
  }
}

void walk(const Dataset& data, const Examples& part) {
  for (std::uint64_t row = 0; row < part.size; ++row) {
    at<float>(part.labels, row);
    if (!part.users.empty())
      CAPSTAN_ASSERT(at<std::uint32_t>(part.users, row) < data.num_users, "no such user");
    if (!part.items.empty()) at<std::uint32_t>(data.item_counts, at<std::uint32_t>(part.items, row));
    if (!part.times.empty()) at<std::int64_t>(part.times, row);
    if (!part.ratings.empty()) at<float>(part.ratings, row);
  }
}

void walk(const Dataset& data, const UserItems& sets) {
  for (std::uint32_t user = 0; user < data.num_users && !sets.offsets.empty(); ++user) {
    const auto end = at<std::uint64_t>(sets.offsets, user + std::uint64_t{1});
    for (auto i = at<std::uint64_t>(sets.offsets, user); i < end; ++i) {
      CAPSTAN_ASSERT(at<std::uint32_t>(sets.values, i) < data.num_items, "no such item");
    }
  }
}

// What was read can be walked to its last row.
void run_prepared(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  const std::string meta = in.get_string();
  const Buffer columns = Buffer::copy_of(in.get_bytes());
  const auto read = read_prepared(Buffer::copy_of(std::string_view(sealed(meta, columns.bytes()))), columns,
                                  "", kFingerprint);
  if (!read.ok()) return;
  const Dataset& data = *read;
  for (const Examples* part : {&data.train, &data.valid, &data.test}) walk(data, *part);
  for (const UserItems* sets : {&data.train_items, &data.valid_items, &data.test_items}) walk(data, *sets);
  for (std::size_t i = 0; i < data.fields.size(); ++i) {
    const FieldInfo& field = data.fields[i];
    if (field.source == FieldSource::kUser) walk(data.user_fields[i], field.dense, data.num_users);
    if (field.source == FieldSource::kItem) walk(data.item_fields[i], field.dense, data.num_items);
    if (field.source != FieldSource::kEvent) continue;
    for (const Examples* part : {&data.train, &data.valid, &data.test}) {
      walk(part->fields[i], field.dense, part->size);
    }
  }
  CAPSTAN_ASSERT(data.user_names.size() == data.num_users, "a user has no name");
  CAPSTAN_ASSERT(data.item_names.size() == data.num_items, "an item has no name");
}

}  // namespace

std::vector<FuzzTarget> prepared_targets() {
  return {{"prepared_data", prepared, run_prepared}};
}

}  // namespace capstan
