#include <algorithm>

#include "cli/launch/host_list.h"
#include "common/adapters/file_keys.h"
#include "common/adapters/key_ring.h"
#include "common/assert.h"
#include "common/config/load_job.h"
#include "common/endpoint_check.h"
#include "common/units.h"
#include "tests/fuzz/fuzz_target.h"
#include "worker/data/readers/read_files.h"

namespace capstan {
namespace {

Buffer seed(std::string_view text) {
  return Buffer::copy_of(text);
}

std::vector<Buffer> jobs() {
  return {seed(R"(job: films
task: ranking
data: {format: movielens, train: [films], split: {method: ratio_by_user, test: 0.2}}
features:
  - {name: user, column: user, transform: vocab}
  - {name: past, column: item, transform: [{history: {n: 5}}]}
model: {type: mf, embedding_dim: 8, loss: bpr}
optimizer: {sparse: {type: adam, learning_rate: 0.002, schedule: {type: cosine, decay_steps: 10}}}
tables: {default: {min_count: 2, ttl: 3d, init: {type: uniform, scale: 0.1}}}
cluster: {servers: 2, workers: 2, memory_limit: 64MiB}
)"),
          seed("job: a\ntask: ctr\ndata: {format: csv, train: ${D:-a.csv}, label: y, clean: [{column: n, "
               "type: float, missing: mean, clip_low: .1}]}\nmodel: {type: deepfm, hidden: [4, 2]}\n"),
          seed("job: &a x\nmodel: {<<: *a}\n? [1, 2]\n: |\n  text\n")};
}

// A job that is taken says the same when it is written out with all its defaults.
void run_job(std::span<const std::byte> bytes) {
  const auto nothing = [](const auto&) { return std::nullopt; };
  const LoadOutcome outcome = read_job(text_of(bytes), "job.yaml", {}, nothing);
  CAPSTAN_ASSERT(outcome.job.has_value() == outcome.errors.all.empty(), "a job is read or has errors");
  if (!outcome.job) return;
  const auto again = load_job_text(outcome.job->effective_yaml, "the effective job");
  CAPSTAN_ASSERT(again.ok() && again->effective_yaml == outcome.job->effective_yaml,
                 "the effective job is another");
}

FileFormat format_of(std::byte choice) {
  const auto bits = static_cast<unsigned>(choice);
  constexpr DataFormat kFormats[] = {DataFormat::kCsv,      DataFormat::kTsv,    DataFormat::kLibsvm,
                                     DataFormat::kLibffm,   DataFormat::kCriteo, DataFormat::kJsonl,
                                     DataFormat::kItemLists};
  FileFormat format;
  format.kind = kFormats[bits % std::size(kFormats)];
  format.header = (bits & 0x40U) != 0;
  if (!format.header) format.columns = {"a", "b", "c"};
  if (format.kind == DataFormat::kTsv) format.delimiter = std::string(1, '\t');
  format.maybe_latin1 = (bits & 0x80U) != 0;
  return format;
}

std::vector<Buffer> data() {
  return {seed("Fa,b,c\n1,\"x, \"\"y\"\"\nz\",2\r\n,,\n"),  // the first byte chooses the format
          seed("@\xef\xbb\xbf"
               "a\tb\tc\n1\t2\t3\n"),
          seed("A1 3:0.5 7:1\n-1 2:1e3 # note\n"),
          seed("B1 0:3:0.5 1:7:1\n"),
          seed("C1\t5\t\t3\t4\t5\t6\t7\t8\t9\t1\t2\t3\t4\ta\tb\tc\td\te\tf\tg\th\ti\tj\tk\tl\tm\tn\to\tp\tq\t"
               "r\ts\tt\tu\tv\tw\tx\ty\tz\n"),
          seed("E7 3 1\n9\t3  2\r\n"),
          seed("D{\"a\": 1, \"b\": null, \"c\": \"\\u00e9\"}\n{\"a\": true}\n")};
}

// Read in one piece or in several, lines are the same.
void run_data(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const FileFormat format = format_of(bytes[0]);
  const auto read = [&](std::size_t ranges) {
    BadLines bad(1000, "");
    return read_text(text_of(bytes.subspan(1)), "data", format, bad, ranges);
  };
  const auto whole = read(1);
  const auto pieces = read(3);
  CAPSTAN_ASSERT(whole.ok() == pieces.ok(), "it depends on the ranges whether a text can be read");
  if (whole.ok()) CAPSTAN_ASSERT(whole->rows() == pieces->rows(), "ranges double or lose lines");
}

std::vector<Buffer> words() {
  return {seed("64MiB"), seed("1.5GB"), seed("30s"), seed("tcp://host:7000"), seed("18446744073709551615")};
}

void run_word(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  if (const auto size = parse_bytes(text); size.ok()) {
    CAPSTAN_ASSERT(parse_bytes(format_bytes(*size)).value() == *size, "a size is written otherwise");
  }
  if (const auto time = parse_duration(text); time.ok()) {
    CAPSTAN_ASSERT(parse_duration(format_duration(*time)).value() == *time,
                   "a duration is written otherwise");
  }
  static_cast<void>(check_endpoint(text, true).ok());
}

std::vector<Buffer> hosts() {
  return {seed("10.0.0.1 scheduler zone=a\n10.0.0.2 servers=2 workers=1 ssh=me@b port=2222 # last\n"),
          seed("a\nb workers=0\n\n[::1] servers=1\n")};
}

// Every node gets a host of the list.
void run_hosts(std::span<const std::byte> bytes) {
  const auto hosts = parse_hosts(text_of(bytes), "hosts.txt");
  if (!hosts.ok()) return;
  CAPSTAN_ASSERT(
      std::count_if(hosts->begin(), hosts->end(), [](const auto& each) { return each.scheduler; }) == 1,
      "one host has the scheduler");
  for (const auto& [node, host] : place_nodes(*hosts, 3, 2))
    CAPSTAN_ASSERT(host < hosts->size(), "a node is on no host");
}

std::vector<Buffer> key_lists() {
  const std::string key(64, 'a');
  return {seed("server " + key + " ps-0 # rack 1\ntool " + key + " me\n"), seed("# none\n" + key + "\n")};
}

void run_key_list(std::span<const std::byte> bytes) {
  const auto allowed = parse_allowed(text_of(bytes), "allowed");
  for (const AllowedKey& each : allowed.ok() ? *allowed : std::vector<AllowedKey>())
    CAPSTAN_ASSERT(parse_curve_key(to_hex(each.key)) == each.key, "a key is written otherwise");
  const auto keys = parse_file_keys(text_of(bytes), "checkpoint.key");
  CAPSTAN_ASSERT(!keys.ok() || !keys->empty(), "a file of keys has none");
}

}  // namespace

std::vector<FuzzTarget> text_targets() {
  return {{"job", jobs, run_job},
          {"data", data, run_data},
          {"word", words, run_word},
          {"hosts", hosts, run_hosts},
          {"key_list", key_lists, run_key_list}};
}

}  // namespace capstan
