#include "scheduler/journal.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <charconv>

#include "common/hash.h"

namespace capstan {

namespace {

constexpr std::size_t kHashDigits = 16;

// The record's text. kCorrupt when the line is damaged.
Result<std::string_view> text_of(std::string_view line) {
  const auto bad = [](std::string_view why) { return make_error(ErrorCode::kCorrupt, std::string(why)); };
  if (line.size() < kHashDigits + 2 || line[kHashDigits] != ' ') return bad("no checksum");
  std::uint64_t hash = 0;
  const char* end = line.data() + kHashDigits;
  const auto parsed = std::from_chars(line.data(), end, hash, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return bad("no checksum");
  const std::string_view text = line.substr(kHashDigits + 1);
  if (hash_string(text) != hash) return bad("the checksum does not match");
  return text;
}

}  // namespace

std::uint32_t newest_run(const std::vector<JournalRecord>& records) {
  std::uint32_t run = 0;
  for (const JournalRecord& record : records) {
    if (const auto* begun = std::get_if<RunBegun>(&record)) run = std::max(run, begun->generation);
  }
  return run;
}

const StateReached* ended_state(const std::vector<JournalRecord>& records) {
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (const auto* reached = std::get_if<StateReached>(&*record)) {
      return reached->state == "done" || reached->state == "failed" ? reached : nullptr;
    }
  }
  return nullptr;
}

bool tables_agreed(const std::vector<JournalRecord>& records) {
  return std::any_of(records.begin(), records.end(),
                     [](const JournalRecord& each) { return std::holds_alternative<TablesAgreed>(each); });
}

std::string journal_line(const JournalRecord& record) {
  const std::string text = to_json_text(record);
  return fmt::format("{:016x} {}\n", hash_string(text), text);
}

Result<std::vector<JournalRecord>> parse_journal(std::string_view text, const std::string& place,
                                                 JournalLines lines) {
  std::vector<JournalRecord> records;
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const bool last = end == std::string_view::npos || end + 1 == rest.size();
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const auto content = end == std::string_view::npos
                             ? Result<std::string_view>(make_error(ErrorCode::kCorrupt, "the line is torn"))
                             : text_of(line);
    auto record = content.ok() ? record_from_json(*content) : Result<JournalRecord>(content.error());
    const bool passed_over = lines == JournalLines::kKnown && content.ok();
    if (record.ok()) {
      records.push_back(std::move(record).value());
    } else if (!last && !passed_over) {
      return make_error(ErrorCode::kCorrupt, fmt::format("{}:{}: {}", place, number, record.error().message));
    }
  }
  return records;
}

}  // namespace capstan
