// RawTable: lines of input as columns of text, each row knowing the file and line it came from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace capstan {

// Cells end to end in one string. An empty cell is a missing value.
class TextColumn {
 public:
  void push(std::string_view cell);
  void append(const TextColumn& other);
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t row) const {
    const std::size_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::string_view(bytes_).substr(begin, ends_[row] - begin);
  }

 private:
  std::string bytes_;
  std::vector<std::uint64_t> ends_;
};

struct RawTable {
  std::vector<std::string> names;
  std::vector<TextColumn> columns;  // parallel to names
  std::vector<std::string> files;
  std::vector<std::uint64_t> file_starts;  // first row of each file
  std::vector<std::uint32_t> lines;        // [rows], 1 is a file's first line

  std::uint64_t rows() const { return lines.size(); }
  std::optional<std::size_t> find(std::string_view name) const;
  // kInvalid names the missing column, the nearest one and all there are.
  Result<const TextColumn*> column(std::string_view name) const;
  std::string where(std::uint64_t row) const;     // "ratings.csv:17"
  std::string row_text(std::uint64_t row) const;  // its cells, tab-separated
  // A column that one side lacks is missing in the other's rows.
  void append(const RawTable& other);
  void add_column(std::string name, TextColumn column);
  // Keeps the rows whose mark is set. REQUIRES: keep.size() == rows().
  void filter(const std::vector<bool>& keep);
};

}  // namespace capstan
