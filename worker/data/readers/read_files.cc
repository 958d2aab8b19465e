#include "worker/data/readers/read_files.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/parallel.h"
#include "common/text.h"
#include "worker/data/input.h"
#include "worker/data/line_ranges.h"
#include "worker/data/readers/registry.h"

namespace capstan {
namespace {

constexpr std::size_t kRangeBytes = 4U << 20;

struct BadLine {
  std::uint32_t line;  // within the range, from 0
  LineProblem problem;
  std::string text;
};

struct ParsedRange {
  std::vector<TextColumn> columns;
  std::vector<std::uint32_t> lines;  // within the range, from 0
  std::vector<BadLine> bad;
  std::uint32_t line_count = 0;
};

// Stops early once the range alone has more bad lines than are allowed.
ParsedRange parse_range(std::string_view text, const LineFormat& format, std::size_t columns,
                        const std::vector<std::size_t>& kept, std::uint64_t max_bad) {
  ParsedRange parsed;
  parsed.columns.resize(kept.size());
  Cells cells;
  while (!text.empty() && parsed.bad.size() <= max_bad) {
    const std::uint32_t number = parsed.line_count++;
    const std::string_view line = take_line(text);
    if (line.empty()) continue;
    cells.clear();
    LineProblem problem;
    if (!is_utf8(line)) {
      problem = {"not UTF-8", "the line is not UTF-8"};
    } else {
      problem = format.parse(line, cells);
    }
    if (!problem.kind.empty()) {
      parsed.bad.push_back({number, std::move(problem), std::string(line)});
      continue;
    }
    for (std::size_t row = 0; row + columns <= cells.size(); row += columns) {
      for (std::size_t i = 0; i < kept.size(); ++i) parsed.columns[i].push(cells[row + kept[i]]);
      parsed.lines.push_back(number);
    }
  }
  return parsed;
}

Result<std::vector<std::size_t>> columns_to_keep(const std::vector<std::string>& names,
                                                 const std::string& file,
                                                 const std::vector<std::string>& wanted) {
  std::vector<std::size_t> kept;
  RawTable shape;
  shape.names = names;
  shape.columns.resize(names.size());
  shape.files = {file};
  for (const auto& name : wanted) CAPSTAN_TRY(shape.column(name));
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), names[i]) != wanted.end())
      kept.push_back(i);
  }
  return kept;
}

}  // namespace

Result<RawTable> read_text(std::string_view text, const std::string& name, const FileFormat& format,
                           BadLines& bad, std::size_t ranges) {
  const std::unique_ptr<LineFormat> lines = make_line_format(format);
  const std::string_view whole = text;
  CAPSTAN_ASSIGN(const auto names, lines->begin(text).wrap(name));
  CAPSTAN_ASSIGN(const auto kept, columns_to_keep(names, name, format.wanted));
  const auto head = whole.substr(0, whole.size() - text.size());
  auto first_line = static_cast<std::uint32_t>(1 + std::count(head.begin(), head.end(), '\n'));

  const auto parts = split_ranges(text, ranges);
  std::vector<ParsedRange> parsed(parts.size());
  parallel_for(parts.size(), [&](std::size_t i) {
    parsed[i] = parse_range(parts[i], *lines, names.size(), kept, bad.max());
  });

  RawTable table;
  table.files = {name};
  table.file_starts = {0};
  for (const std::size_t column : kept) table.add_column(names[column], {});
  for (auto& part : parsed) {
    for (const auto& line : part.bad) {
      CAPSTAN_TRY(bad.add(fmt::format("{}:{}", name, first_line + line.line), line.problem.kind,
                          line.problem.detail, line.text));
    }
    for (std::size_t c = 0; c < kept.size(); ++c) table.columns[c].append(part.columns[c]);
    for (const std::uint32_t line : part.lines) table.lines.push_back(first_line + line);
    first_line += part.line_count;
    part = {};
  }
  return table;
}

Status check_same_columns(const FileFormat& format, const RawTable& first, const RawTable& next) {
  const bool named = format.kind == DataFormat::kCsv || format.kind == DataFormat::kTsv;
  if (!named || first.files.empty()) return ok_status();
  for (const auto& [has, lacks] : {std::pair(&first, &next), std::pair(&next, &first)}) {
    for (const std::string& name : has->names) {
      if (lacks->find(name)) continue;
      return make_error(ErrorCode::kInvalid, fmt::format("{}: no column '{}', which {} has",
                                                         lacks->files.front(), name, has->files.front()));
    }
  }
  return ok_status();
}

Result<RawTable> read_files(std::span<const std::string> paths, const FileFormat& format, BadLines& bad) {
  RawTable table;
  for (const auto& path : paths) {
    CAPSTAN_ASSIGN(Buffer text, load_text(path));
    if (format.maybe_latin1 && !is_utf8(text.text())) text = Buffer::copy_of(latin1_to_utf8(text.text()));
    const std::size_t ranges = std::max<std::size_t>(1, text.size() / kRangeBytes);
    CAPSTAN_ASSIGN(RawTable part, read_text(text.text(), path, format, bad, ranges));
    CAPSTAN_TRY(check_same_columns(format, table, part));
    if (table.files.empty()) {
      table = std::move(part);
    } else {
      table.append(part);
    }
  }
  if (table.rows() == 0) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{}: no data lines{}", join(paths, ", "), bad.reasons({})));
  }
  return table;
}

}  // namespace capstan
