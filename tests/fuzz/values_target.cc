#include <zlib.h>

#include <cstring>

#include "common/assert.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/npz_file.h"
#include "worker/eval/kept_values.h"

namespace capstan {
namespace {

std::vector<Buffer> values() {
  KeptValues films, clicks;
  films.users = {"1", "zwei", std::string(100, 'x')};
  films.users[2] = kept_name(films.users[2]);
  films.figures = {{"model/ndcg@10", {0.5F, 0.0F, 1.0F}}, {"ease/ndcg@10", {0.25F, 0.5F, 0.0F}}};
  clicks.scores = {0.5F, 0.25F};
  clicks.labels = {1.0F, 0.0F};
  return {encode(films).value(), encode(clicks).value()};
}

// Whoever wrote it took the checksums of what it wrote.
std::string with_checksums(std::string zip) {
  for (std::size_t at = 0; number_in<std::uint32_t>(zip, at) == 0x04034b50;) {
    const std::size_t extra = at + 30 + number_in<std::uint16_t>(zip, at + 26);
    const std::size_t data = extra + number_in<std::uint16_t>(zip, at + 28);
    const auto size = number_in<std::uint64_t>(zip, extra + 4);
    if (data > zip.size() || size > zip.size() - data) break;
    const auto crc =
        static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(zip.data() + data), size));
    if (at + 18 > zip.size()) break;
    std::memcpy(zip.data() + at + 14, &crc, sizeof(crc));
    at = data + size;
  }
  return zip;
}

// What was read can be written and is the same again.
void run_values(std::span<const std::byte> bytes) {
  const auto read = decode_kept_values(Buffer::copy_of(with_checksums(std::string(text_of(bytes)))));
  if (!read.ok()) return;
  const auto written = encode(*read);
  CAPSTAN_ASSERT(written.ok(), "what was read cannot be written");
  const auto again = decode_kept_values(*written);
  CAPSTAN_ASSERT(again.ok() && again->users == read->users, "other users than were written");
  CAPSTAN_ASSERT(again->figures.size() == read->figures.size(), "other figures than were written");
  CAPSTAN_ASSERT(again->scores.size() == read->scores.size(), "other scores than were written");
}

}  // namespace

std::vector<FuzzTarget> values_targets() {
  return {{"kept_values", values, run_values}};
}

}  // namespace capstan
