#include "common/adapters/encrypted_frames.h"
#include "common/assert.h"
#include "ps/section_format.h"
#include "ps/shard.h"
#include "scheduler/journal.h"
#include "scheduler/manifest.h"
#include "tests/fuzz/fuzz_target.h"
#include "worker/eval/pointwise_evaluator.h"
#include "worker/eval/ranking_part.h"

namespace capstan {
namespace {

constexpr std::uint32_t kShards = 4;
constexpr std::uint32_t kSlots = 2;
constexpr std::uint32_t kAnyPass = ~0U;  // behind whatever a shard has seen

// A table with moments, admission and a ttl, and a layer.
std::vector<TableSpec> tables() {
  TableSpec sparse;
  sparse.name = "items";
  sparse.dim = 3;
  sparse.optimizer = {.kind = OptimizerKind::kAdam, .schedule = {}};
  sparse.min_count = 2;
  sparse.ttl_seconds = 60;
  TableSpec layer;
  layer.name = "layer";
  layer.dim = 2;
  layer.dense = true;
  layer.num_rows = 5;
  return {sparse, layer};
}

Shard empty_shard() {
  Shard shard(0, kShards);
  shard.declare({tables(), kSlots, true, 0, 16});
  return shard;
}

// Two steps are in it, of a third one slot waits.
Shard used_shard() {
  Shard shard = empty_shard();
  std::vector<Key> keys;
  for (Key key = 0; keys.size() < 3; ++key) {
    if (shard_of(key, kShards) == 0) keys.push_back(key);
  }
  const std::vector<float> gradients(keys.size() * 3, 0.5F);
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence) {
    for (std::uint32_t slot = 0; slot < (sequence == 3 ? 1 : kSlots); ++slot) {
      PushedSlice slice;
      slice.partition = slot;
      slice.term = 1;
      slice.sequence = sequence;
      slice.previous = sequence - 1;
      slice.sections = {{0, static_cast<std::uint32_t>(keys.size())}};
      slice.keys_owner = Buffer::copy_of(std::span<const Key>(keys));
      slice.gradients_owner = Buffer::copy_of(std::span<const float>(gradients));
      slice.keys = slice.keys_owner.as<Key>().data();
      slice.gradients = slice.gradients_owner.as<float>().data();
      shard.push(slice, 10);
    }
  }
  return shard;
}

std::vector<Buffer> snapshots() {
  return {used_shard().snapshot_after(0, 0, 1)->bytes, empty_shard().snapshot_after(0, 0, 1)->bytes};
}

void run_snapshot(std::span<const std::byte> bytes) {
  Shard shard = empty_shard();
  if (!shard.restore(bytes, 0).ok()) return;
  Shard copy = empty_shard();
  CAPSTAN_ASSERT(copy.restore(shard.snapshot_after(kAnyPass, 0, 1)->bytes.bytes(), 0).ok(),
                 "a restored shard's snapshot cannot be restored");
}

// A section and what changed since.
std::vector<Buffer> chains() {
  Shard shard = used_shard();
  const Buffer whole = shard.snapshot_after(kAnyPass, 0, 1, {1, 0})->bytes;
  shard.evict(1000, 0);
  const Buffer change = shard.snapshot_after(kAnyPass, 0, 1, {2, 1})->bytes;
  ByteWriter out;
  out.put_bytes(whole.bytes());
  out.put_bytes(change.bytes());
  return {out.take()};
}

void run_chain(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  std::vector<Buffer> links;
  for (int n = 0; n < 2; ++n) links.push_back(Buffer::copy_of(in.get_bytes()));
  const auto merged = merge_sections(links);
  if (!merged.ok()) return;
  const std::vector<Buffer> whole = {*merged};
  CAPSTAN_ASSERT(merge_sections(whole).ok(), "a merged chain is no section");
  Shard shard = empty_shard();
  static_cast<void>(shard.restore(merged->bytes(), 0).ok());
}

std::vector<Buffer> replicas() {
  return {used_shard().save_all(), empty_shard().save_all()};
}

void run_replica(std::span<const std::byte> bytes) {
  Shard shard = empty_shard();
  if (!shard.load_all(bytes).ok()) return;
  Shard copy = empty_shard();
  CAPSTAN_ASSERT(copy.load_all(shard.save_all().bytes()).ok(), "a replica's bytes cannot be loaded");
}

std::vector<Buffer> records() {
  TablesAgreed agreed;
  agreed.tables = tables();
  agreed.parts = {{"test", 2}};
  const std::vector<JournalRecord> samples = {agreed,
                                              StateReached{"running", 1, ""},
                                              PassFinished{0, 100, 1, 50.0, 1.5, 7, 9},
                                              CutBegun{3, {WorkCursor{}}},
                                              MapChanged{{{0, 1, {1, 2}}}},
                                              WorkSplit{WorkCursor{}, WorkCursor{}}};
  std::vector<Buffer> seeds;
  for (const JournalRecord& record : samples) {
    seeds.push_back(Buffer::copy_of(std::string_view(to_json_text(record))));
  }
  return seeds;
}

void run_record(std::span<const std::byte> bytes) {
  const auto record = record_from_json(text_of(bytes));
  if (!record.ok()) return;
  CAPSTAN_ASSERT(record_from_json(to_json_text(*record)).ok(), "a journaled record cannot be read again");
}

std::vector<Buffer> manifests() {
  Manifest manifest;
  manifest.job = "films";
  manifest.tables = tables();
  manifest.num_shards = kShards;
  manifest.passes = {PassFinished{0, 100, 0, 50.0, 1.5, 7, 9}};
  manifest.streams.resize(1);
  manifest.sections.resize(2);
  manifest.sections[0].folder = "ckpt-000001";
  manifest.sections[1].base = manifest.builds_on = 1;
  return {Buffer::copy_of(std::string_view(to_json_text(manifest)))};
}

void run_manifest(std::span<const std::byte> bytes) {
  const auto manifest = manifest_from_json(text_of(bytes));
  if (!manifest.ok()) return;
  CAPSTAN_ASSERT(manifest_from_json(to_json_text(*manifest)).ok(), "a manifest cannot be read again");
}

std::vector<Buffer> rankings() {
  RankingPart part;
  part.protocol = "full ranking";
  part.metrics = {"ndcg@2"};
  part.coverage_cuts = {2};
  part.users = {1, 2};
  part.values = {0.5, 0.25};
  part.warm_values = part.values;
  part.list_length = 2;
  part.lists = {0, 1, 2, kNoItem};
  part.num_items = 3;
  return {encode(part)};
}

void run_ranking(std::span<const std::byte> bytes) {
  const auto part = decode_ranking_part(bytes);
  if (part.ok()) static_cast<void>(merge({*part}).ok());
}

std::vector<Buffer> predictions() {
  PointwisePart part;
  part.scores = {0.5F, 0.25F};
  part.labels = {1, 0};
  return {encode(part)};
}

void run_prediction(std::span<const std::byte> bytes) {
  static_cast<void>(decode_pointwise_part(bytes).ok());
}

constexpr FileKey kFuzzKey{1, 2, 3};

std::vector<Buffer> encrypted_files() {
  return {encrypt_file(kFuzzKey, {}), encrypt_file(kFuzzKey, Buffer::copy_of("rows").bytes())};
}

// What opens is as long as the file's length says.
void run_encrypted(std::span<const std::byte> bytes) {
  const auto head = read_encrypted_head(bytes);
  const auto size = plain_size(bytes.size());
  if (!head) return;
  const auto plain = decrypt_file(kFuzzKey, *head, bytes);
  CAPSTAN_ASSERT(!plain.ok() || (size && plain->size() == *size), "a file opens to another length");
}

}  // namespace

std::vector<FuzzTarget> state_targets() {
  return {{"snapshot", snapshots, run_snapshot},   {"chain", chains, run_chain},
          {"replica", replicas, run_replica},      {"journal", records, run_record},
          {"manifest", manifests, run_manifest},   {"encrypted_file", encrypted_files, run_encrypted},
          {"ranking_part", rankings, run_ranking}, {"pointwise_part", predictions, run_prediction}};
}

}  // namespace capstan
