#include "scheduler/etcd_journal.h"

#include <spdlog/fmt/fmt.h>

#include "common/assert.h"
#include "common/planted_bugs.h"
#include "common/text.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr std::uint32_t kPage = 128;  // keys read at once
constexpr Duration kRetryPause = 200ms;
constexpr Duration kSayEvery = 5s;

}  // namespace

EtcdJournal::EtcdJournal(KeyStore& store, Leadership* leadership, const Log& log, EtcdJournalOptions options)
    : store_(store), leadership_(leadership), log_(log), options_(std::move(options)) {}

std::string EtcdJournal::place() const {
  return fmt::format("{} below {}/", store_.place(), options_.root);
}

std::string EtcdJournal::edition_prefix(const std::string& edition) const {
  return fmt::format("{}/journal/{}/", options_.root, edition);
}

// The values of the edition, which must be there without a gap.
Result<std::string> EtcdJournal::read_edition() {
  const std::string prefix = edition_prefix(edition_);
  std::string text, from = prefix;
  last_key_ = 0;
  for (;;) {
    CAPSTAN_ASSIGN(const std::vector<StoredKey> page, store_.read(from, end_of_prefix(prefix), kPage));
    for (const StoredKey& each : page) {
      const std::string_view digits = std::string_view(each.key).substr(prefix.size());
      if (parse_uint(digits) != ++last_key_) {
        return make_error(ErrorCode::kCorrupt,
                          fmt::format("{} stands where number {} should be", each.key, last_key_));
      }
      text += each.value;
    }
    if (page.size() < kPage) return text;
    from = page.back().key + '\0';
  }
}

Result<std::vector<JournalRecord>> EtcdJournal::read(JournalLines lines) {
  const std::string key = options_.root + "/edition";
  auto named = store_.read(key, key + '\0', 1);
  if (!named.ok()) return named.error().wrap("read journal");
  if (named->empty()) return std::vector<JournalRecord>{};
  edition_ = (*named)[0].value;
  auto text = read_edition();
  if (!text.ok() && text.error().code != ErrorCode::kCorrupt) return text.error().wrap("read journal");
  auto records = text.ok() ? parse_journal(*text, place() + "journal", lines)
                           : Result<std::vector<JournalRecord>>(text.error());
  if (records.ok()) {
    text_ = std::move(text).value();
    return records;
  }
  return make_error(
      records.error().code,
      fmt::format(
          "{}; delete the keys below {}/, then go on beside servers that still run with --rebuild, or "
          "from a checkpoint with --resume-from",
          records.error().message, options_.root));
}

Status EtcdJournal::begin(const std::vector<JournalRecord>& records) {
  std::string text;
  for (const JournalRecord& record : records) text += journal_line(record);
  const std::string before = std::exchange(text_, "");
  if (!before.empty() && before.ends_with('\n') && text.starts_with(before)) {
    return write(std::string_view(text).substr(before.size()));
  }
  edition_ = fmt::format("{:016x}", leadership_->created());
  last_key_ = 0;
  CAPSTAN_TRY(write(text));
  StoreCommit named;
  named.puts.push_back({options_.root + "/edition", edition_, 0});
  named.removes = {options_.root + "/journal/", edition_prefix(edition_)};
  return commit(std::move(named)).wrap("start journal");
}

Status EtcdJournal::append(const JournalRecord& record) {
  if (failed_) return make_error(ErrorCode::kIo, "the journal has failed before");
  const Status written = write(journal_line(record));
  failed_ = !written.ok();
  return written;
}

Status EtcdJournal::write(std::string_view text) {
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, options_.value_bytes_max);
    text.remove_prefix(piece.size());
    StoreCommit one;
    one.puts.push_back(
        {fmt::format("{}{:010}", edition_prefix(edition_), ++last_key_), std::string(piece), 0});
    CAPSTAN_TRY(commit(std::move(one)).wrap("append to journal"));
  }
  return ok_status();
}

// Again and again until the store says yes or no: a time-out leaves open which.
Status EtcdJournal::commit(StoreCommit commit) {
  if (!CAPSTAN_PLANTED(kAppendsWithoutLeading)) {
    commit.guard = leadership_->key();
    commit.guard_created = leadership_->created();
  }
  const Instant began = options_.now();
  Instant said = began;
  for (;;) {
    const auto outcome = store_.commit(commit);
    if (outcome.ok() && outcome->taken) return ok_status();
    if (outcome.ok()) {
      leadership_->lose(fmt::format("{} refuses what this scheduler writes: {}", store_.place(),
                                    outcome->guard.has_value() ? "it is led by " + outcome->guard->value
                                                               : "its lead has ended and nobody leads"));
    }
    if (const std::string lost = leadership_->lost(); !lost.empty()) {
      return make_error(ErrorCode::kRefused, lost);
    }
    const Error& error = outcome.error();
    const bool passes = error.code == ErrorCode::kTimeout || error.code == ErrorCode::kUnavailable;
    const Instant now = options_.now();
    if (!passes || now - began >= options_.patience) return error;
    if (now - said >= kSayEvery) {
      said = now;
      log_.warn("the job stands still until the journal is written: {}", error.message);
    }
    store_.rest(kRetryPause);
  }
}

}  // namespace capstan
