#include "common/merged_report.h"

#include <algorithm>
#include <cstring>

namespace capstan {

Buffer encode(const MergedReport& report) {
  if (report.values.empty()) return Buffer::copy_of(report.json);
  Buffer bytes = Buffer::allocate(report.json.size() + 1 + report.values.size());
  std::byte* to = bytes.mutable_data();
  std::memcpy(to, report.json.data(), report.json.size());
  to[report.json.size()] = std::byte{0};
  std::memcpy(to + report.json.size() + 1, report.values.data(), report.values.size());
  return bytes;
}

MergedReport decode_merged_report(const Buffer& bytes) {
  const auto end = bytes.text().find('\0');
  if (end == std::string_view::npos) return {std::string(bytes.text()), {}};
  return {std::string(bytes.text().substr(0, end)), bytes.slice(end + 1, bytes.size() - end - 1)};
}

std::string values_path(const std::string& report_path) {
  constexpr std::string_view kEnding = ".json";
  if (!report_path.ends_with(kEnding)) return "";
  return report_path.substr(0, report_path.size() - kEnding.size()) + ".values.npz";
}

}  // namespace capstan
