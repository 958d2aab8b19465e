// LineFormat: how the lines of one kind of file become cells. One file a format; see registry.h for all of
// them.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

struct FileFormat {
  DataFormat kind = DataFormat::kCsv;
  bool header = true;
  std::string delimiter = ",";  // csv; may be several characters, then quotes mean nothing
  bool quotes = true;
  std::vector<std::string> columns;  // names; with a header too, they replace the header's
  std::vector<std::string> wanted;   // columns to keep; empty: all
  bool maybe_latin1 = false;         // a text that is not UTF-8 is taken for Latin-1
};

// The cells of one line: views of the line or of strings kept here, valid until clear().
class Cells {
 public:
  void clear() {
    views_.clear();
    owned_.clear();
  }
  void add(std::string_view cell) { views_.push_back(cell); }
  void add_owned(std::string cell) { views_.push_back(owned_.emplace_back(std::move(cell))); }
  std::size_t size() const { return views_.size(); }
  std::string_view operator[](std::size_t i) const { return views_[i]; }
  // REQUIRES: i < size(). Replaces a cell.
  void set_owned(std::size_t i, std::string cell) { views_[i] = owned_.emplace_back(std::move(cell)); }

 private:
  std::vector<std::string_view> views_;
  std::deque<std::string> owned_;
};

// What is wrong with a line; an empty kind is nothing.
struct LineProblem {
  std::string kind;    // the same words for the same mistake
  std::string detail;  // with the figures of this line
};

class LineFormat {
 public:
  virtual ~LineFormat() = default;

  // Column names of this file; takes what is no data (a header) off the front of `text`.
  virtual Result<std::vector<std::string>> begin(std::string_view& text) = 0;
  // Fills one cell for each column, for one row or for several one after the other, or says what is wrong.
  // Called by many threads at once.
  virtual LineProblem parse(std::string_view line, Cells& cells) const = 0;
};

}  // namespace capstan
