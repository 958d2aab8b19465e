#include "worker/data/readers/csv.h"

#include <spdlog/fmt/fmt.h>

#include <set>

#include "common/text.h"
#include "worker/data/line_ranges.h"

namespace capstan {
namespace {

class Csv final : public LineFormat {
 public:
  explicit Csv(const FileFormat& format)
      : delimiter_(format.delimiter),
        quotes_(format.quotes && delimiter_.size() == 1),
        header_(format.header),
        names_(format.columns) {}

  Result<std::vector<std::string>> begin(std::string_view& text) override {
    if (header_) {
      Cells cells;
      const std::string_view line = take_line(text);
      if (!is_utf8(line)) return make_error(ErrorCode::kInvalid, "the header is not UTF-8");
      const LineProblem problem = split(line, cells);
      if (!problem.kind.empty()) return make_error(ErrorCode::kInvalid, "the header: " + problem.detail);
      if (names_.empty()) {
        for (std::size_t i = 0; i < cells.size(); ++i) names_.emplace_back(trim(cells[i]));
      } else if (names_.size() != cells.size()) {
        return make_error(ErrorCode::kInvalid,
                          fmt::format("the header has {} columns, but {} names are given: {}", cells.size(),
                                      names_.size(), join(names_, ", ")));
      }
    }
    if (names_.empty())
      return make_error(ErrorCode::kInvalid, "without a header, data.columns must name the columns");
    std::set<std::string> unique;
    for (const auto& name : names_) {
      if (!unique.insert(name).second) {
        return make_error(ErrorCode::kInvalid, fmt::format("two columns are named '{}'", name));
      }
    }
    return names_;
  }

  LineProblem parse(std::string_view line, Cells& cells) const override {
    LineProblem problem = split(line, cells);
    if (problem.kind.empty() && cells.size() != names_.size()) {
      problem = {"wrong column count", fmt::format("{} columns instead of {} ({})", cells.size(),
                                                   names_.size(), join(names_, ", "))};
    }
    return problem;
  }

 private:
  LineProblem split(std::string_view line, Cells& cells) const {
    std::size_t at = 0;
    while (true) {
      if (quotes_ && at < line.size() && line[at] == '"') {
        if (!take_quoted(line, at, cells))
          return {"bad quotes", "a quoted cell is not closed before its separator"};
      } else {
        const std::size_t end = line.find(delimiter_, at);
        cells.add(line.substr(at, end == std::string_view::npos ? end : end - at));
        at = end == std::string_view::npos ? line.size() : end;
      }
      if (at == line.size()) return {};
      at += delimiter_.size();
    }
  }

  // Takes the quoted cell that starts at `at`; then `at` is at a separator or at the end.
  bool take_quoted(std::string_view line, std::size_t& at, Cells& cells) const {
    const std::size_t begin = at + 1;
    std::string joined;
    std::size_t from = begin;
    while (true) {
      const std::size_t quote = line.find('"', from);
      if (quote == std::string_view::npos) return false;
      if (quote + 1 < line.size() && line[quote + 1] == '"') {
        joined += line.substr(from, quote + 1 - from);
        from = quote + 2;
        continue;
      }
      if (from == begin) {
        cells.add(line.substr(begin, quote - begin));
      } else {
        joined += line.substr(from, quote - from);
        cells.add_owned(std::move(joined));
      }
      at = quote + 1;
      return at == line.size() || line.substr(at).starts_with(delimiter_);
    }
  }

  std::string delimiter_;
  bool quotes_;
  bool header_;
  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<LineFormat> make_csv(const FileFormat& format) {
  return std::make_unique<Csv>(format);
}

}  // namespace capstan
