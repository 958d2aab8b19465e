// How fast does one core turn lines into columns?
//   bench_reader FOLDER [rounds=5] [megabytes=64] [--json]
// Numeric CSV (40 columns), Criteo lines and libsvm, each plain, in gzip and in zstd (made by those programs)
// from the page cache, on one thread: load_text() and read_text(), as read_files() calls them. Beside it in
// the same round the limit: the same text's line breaks found by memchr. Bytes are those of the plain text,
// time is processor time of the thread.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <vector>

#include "bench/arguments.h"
#include "bench/raw_memory.h"
#include "common/rng.h"
#include "worker/data/input.h"
#include "worker/data/readers/read_files.h"

namespace capstan {
namespace {

namespace json = boost::json;

[[noreturn]] void end_with(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  std::exit(1);
}

struct Kind {
  const char* name;
  DataFormat format;
  std::function<std::string(Rng&)> line;
};

std::string csv_line(Rng& rng) {
  std::string line(rng.chance(0.25) ? "1" : "0");
  for (int i = 0; i < 39; ++i) line += fmt::format(",{:.4f}", rng.normal());
  return line;
}

std::string criteo_line(Rng& rng) {
  std::string line(rng.chance(0.25) ? "1" : "0");
  for (int i = 0; i < 13; ++i) line += fmt::format("\t{}", rng.below(1000));
  for (int i = 0; i < 26; ++i) line += fmt::format("\t{:08x}", rng.below(1'000'000) * 4001);
  return line;
}

std::string libsvm_line(Rng& rng) {
  std::string line(rng.chance(0.25) ? "1" : "-1");
  std::uint64_t index = 0;
  for (int i = 0; i < 39; ++i) line += fmt::format(" {}:{:.3f}", index += 1 + rng.below(1000), rng.uniform());
  return line;
}

void write_text(const std::string& path, const Kind& kind, std::size_t bytes) {
  std::ofstream out(path);
  Rng rng(1);
  for (std::size_t written = 0; written < bytes;) {
    const std::string line = kind.line(rng) + '\n';
    out << line;
    written += line.size();
  }
  if (!out.flush()) end_with("cannot write " + path);
}

// The file itself, and its compressed copies.
std::vector<std::string> copies_of(const std::string& path) {
  for (const char* command : {"gzip -kf", "zstd -qkf"}) {
    if (std::system(fmt::format("{} '{}'", command, path).c_str()) != 0)
      end_with(fmt::format("{} failed", command));
  }
  return {path, path + ".gz", path + ".zst"};
}

std::size_t count_lines(std::string_view text) {
  std::size_t lines = 0;
  while (!text.empty()) {
    const void* const found = std::memchr(text.data(), '\n', text.size());
    if (found == nullptr) break;
    text.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) + 1);
    ++lines;
  }
  return lines;
}

struct Rates {
  std::vector<double> load, parse, both;  // MB/s
  std::vector<double> limit;
};

void measure(const std::string& path, const Kind& kind, Rates& rates) {
  FileFormat format;
  format.kind = kind.format;
  format.header = false;
  if (kind.format == DataFormat::kCsv) {
    for (int i = 0; i < 40; ++i) format.columns.push_back(fmt::format("c{}", i));
  }
  BadLines bad(0, "");
  const double begin = processor_seconds();
  const auto text = load_text(path);
  if (!text.ok()) end_with(text.error().message);
  const double loaded = processor_seconds();
  const auto table = read_text(text->text(), path, format, bad, 1);
  const double parsed = processor_seconds();
  if (!table.ok()) end_with(table.error().message);
  const std::size_t lines = count_lines(text->text());
  const double scanned = processor_seconds();
  if (lines != table->rows()) end_with(fmt::format("{} lines became {} rows", lines, table->rows()));
  const double megabytes = static_cast<double>(text->text().size()) / 1e6;
  rates.load.push_back(megabytes / (loaded - begin));
  rates.parse.push_back(megabytes / (parsed - loaded));
  rates.both.push_back(megabytes / (parsed - begin));
  rates.limit.push_back(megabytes / (scanned - parsed));
}

double middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const std::string& folder, std::size_t rounds, std::size_t megabytes, bool as_json) {
  const std::vector<Kind> kinds = {{"numeric csv", DataFormat::kCsv, csv_line},
                                   {"criteo", DataFormat::kCriteo, criteo_line},
                                   {"libsvm", DataFormat::kLibsvm, libsvm_line}};
  std::filesystem::create_directories(folder);
  json::array out;
  for (const Kind& kind : kinds) {
    const std::string path = fmt::format("{}/{}.txt", folder, static_cast<int>(kind.format));
    write_text(path, kind, megabytes * 1'000'000);
    for (const std::string& copy : copies_of(path)) {
      Rates rates;
      for (std::size_t round = 0; round < rounds; ++round) measure(copy, kind, rates);
      const std::string kept = copy == path ? "plain" : copy.ends_with(".gz") ? "gzip" : "zstd";
      const double load = middle(rates.load), parse = middle(rates.parse), both = middle(rates.both);
      const double limit = middle(rates.limit);
      if (as_json) {
        out.push_back(json::object{{"format", kind.name},
                                   {"kept", kept},
                                   {"load_mb_per_second", load},
                                   {"parse_mb_per_second", parse},
                                   {"both_mb_per_second", both},
                                   {"limit_mb_per_second", limit}});
        continue;
      }
      std::printf("%-12s %-6s %7.0f MB/s: load %7.0f, parse %7.0f (%.0f to %.0f); line breaks alone %.0f\n",
                  kind.name, kept.c_str(), both, load, parse,
                  *std::min_element(rates.parse.begin(), rates.parse.end()),
                  *std::max_element(rates.parse.begin(), rates.parse.end()), limit);
      std::fflush(stdout);
    }
  }
  if (as_json) std::printf("%s\n", json::serialize(out).c_str());
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  capstan::Arguments arguments(argc, argv, "bench_reader FOLDER [rounds] [megabytes] [--json]");
  std::size_t rounds = 5, megabytes = 64;
  arguments.take(rounds);
  arguments.take(megabytes);
  capstan::run(arguments.folder(), std::max<std::size_t>(rounds, 1), megabytes, arguments.json());
  return 0;
}
