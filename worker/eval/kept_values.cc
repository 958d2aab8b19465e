#include "worker/eval/kept_values.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <set>

#include "common/hash.h"
#include "worker/npz/npz_reader.h"
#include "worker/npz/npz_writer.h"

namespace capstan {
namespace {

constexpr std::size_t kNameBytes = 48;  // every name takes as much as the longest
constexpr const char* kUsers = "users";
constexpr const char* kScores = "score";
constexpr const char* kLabels = "label";

Status check(const KeptValues& values) {
  const std::set<std::string> names(values.users.begin(), values.users.end());
  bool fits = names.size() == values.users.size() && values.scores.size() == values.labels.size();
  for (const auto& [name, column] : values.figures) fits = fits && column.size() == values.users.size();
  return fits ? ok_status() : make_error(ErrorCode::kCorrupt, "kept values do not belong together");
}

}  // namespace

std::string kept_name(std::string_view user) {
  if (user.size() <= kNameBytes) return std::string(user);
  const std::string hash = fmt::format("#{:016x}", hash_string(user));
  return std::string(user.substr(0, kNameBytes - hash.size())) + hash;
}

Result<Buffer> encode(const KeptValues& values) {
  NpzWriter writer = NpzWriter::in_memory();
  if (!values.users.empty()) CAPSTAN_TRY(writer.add(kUsers, values.users));
  for (const auto& [name, column] : values.figures) CAPSTAN_TRY(writer.add(name, column));
  if (!values.scores.empty()) {
    CAPSTAN_TRY(writer.add(kScores, values.scores));
    CAPSTAN_TRY(writer.add(kLabels, values.labels));
  }
  CAPSTAN_TRY(writer.finish());
  return writer.take();
}

Result<KeptValues> decode_kept_values(const Buffer& npz) {
  CAPSTAN_ASSIGN(const NpzReader reader, NpzReader::open(npz));
  KeptValues values;
  for (const std::string& name : reader.names()) {
    if (name == kUsers) {
      CAPSTAN_ASSIGN(values.users, reader.texts(name));
      continue;
    }
    CAPSTAN_ASSIGN(std::vector<float> column, reader.floats(name));
    if (name == kScores) {
      values.scores = std::move(column);
    } else if (name == kLabels) {
      values.labels = std::move(column);
    } else {
      values.figures[name] = std::move(column);
    }
  }
  CAPSTAN_TRY(check(values));
  return values;
}

}  // namespace capstan
