#include "worker/data/raw_table.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/assert.h"
#include "common/text.h"

namespace capstan {

void TextColumn::push(std::string_view cell) {
  bytes_ += cell;
  ends_.push_back(bytes_.size());
}

void TextColumn::append(const TextColumn& other) {
  const std::uint64_t base = bytes_.size();
  bytes_ += other.bytes_;
  ends_.reserve(ends_.size() + other.ends_.size());
  for (const std::uint64_t end : other.ends_) ends_.push_back(base + end);
}

std::optional<std::size_t> RawTable::find(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

Result<const TextColumn*> RawTable::column(std::string_view name) const {
  if (const auto index = find(name)) return &columns[*index];
  const std::string near = nearest_word(name, names);
  return make_error(
      ErrorCode::kInvalid,
      fmt::format("{}: no column '{}'{}; its columns are {}", files.empty() ? "input" : files.front(), name,
                  near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), join(names, ", ")));
}

std::string RawTable::where(std::uint64_t row) const {
  const auto after = std::upper_bound(file_starts.begin(), file_starts.end(), row);
  return fmt::format("{}:{}", files[static_cast<std::size_t>(after - file_starts.begin()) - 1], lines[row]);
}

std::string RawTable::row_text(std::uint64_t row) const {
  std::string text;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (c > 0) text += '\t';
    text += columns[c][row];
  }
  return text;
}

void RawTable::append(const RawTable& other) {
  const std::uint64_t before = rows();
  for (std::size_t c = 0; c < other.names.size(); ++c) {
    if (find(other.names[c])) continue;
    TextColumn missing;
    for (std::uint64_t row = 0; row < before; ++row) missing.push("");
    add_column(other.names[c], std::move(missing));
  }
  for (std::size_t c = 0; c < names.size(); ++c) {
    if (const auto from = other.find(names[c])) {
      columns[c].append(other.columns[*from]);
    } else {
      for (std::uint64_t row = 0; row < other.rows(); ++row) columns[c].push("");
    }
  }
  for (std::size_t f = 0; f < other.files.size(); ++f) {
    files.push_back(other.files[f]);
    file_starts.push_back(before + other.file_starts[f]);
  }
  lines.insert(lines.end(), other.lines.begin(), other.lines.end());
}

void RawTable::add_column(std::string name, TextColumn column) {
  names.push_back(std::move(name));
  columns.push_back(std::move(column));
}

void RawTable::filter(const std::vector<bool>& keep) {
  CAPSTAN_ASSERT(keep.size() == rows(), "one mark a row");
  if (std::find(keep.begin(), keep.end(), false) == keep.end()) return;
  for (auto& column : columns) {
    TextColumn kept;
    for (std::uint64_t row = 0; row < keep.size(); ++row) {
      if (keep[row]) kept.push(column[row]);
    }
    column = std::move(kept);
  }
  std::vector<std::uint32_t> kept_lines;
  std::size_t next_file = 0;
  for (std::uint64_t row = 0; row < keep.size(); ++row) {
    while (next_file < file_starts.size() && file_starts[next_file] == row) {
      file_starts[next_file++] = kept_lines.size();
    }
    if (keep[row]) kept_lines.push_back(lines[row]);
  }
  while (next_file < file_starts.size()) file_starts[next_file++] = kept_lines.size();
  lines = std::move(kept_lines);
}

}  // namespace capstan
