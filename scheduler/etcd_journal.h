// EtcdJournal: the journal as keys of a store, which only the leader writes.
//
// ROOT/edition names the keys that count: ROOT/journal/EDITION/NUMBER, whose values, one after the other, are
// what FileJournal's file would hold. A record may go on from one value to the next. An edition is called
// after the revision at which its first writer became leader. Every write holds the condition that its writer
// still leads, and may be repeated: one that comes late changes nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/key_store.h"
#include "common/log.h"
#include "scheduler/journal.h"
#include "scheduler/leadership.h"

namespace capstan {

struct EtcdJournalOptions {
  std::string root;  // "/capstan/JOB"
  // For a record to be taken, while the store does not answer; then the scheduler stops.
  Duration patience = std::chrono::seconds(60);
  std::function<Instant()> now;
  std::size_t value_bytes_max = std::size_t{1} << 20;  // etcd takes 1.5 MiB a request
};

class EtcdJournal final : public Journal {
 public:
  // `leadership` must hold before anything is written; nullptr: to read only.
  EtcdJournal(KeyStore& store, Leadership* leadership, const Log& log, EtcdJournalOptions options);

  Result<std::vector<JournalRecord>> read(JournalLines lines) override;
  // Goes on with the edition that was read if `records` begin with just what it holds.
  Status begin(const std::vector<JournalRecord>& records) override;
  // Blocks while the store does not answer, as a sync of a file would.
  Status append(const JournalRecord& record) override;
  std::string place() const override;
  std::string engine() const override { return "etcd"; }
  Instant leads_until() const override { return leadership_->until(); }
  std::string lost_lead() const override { return leadership_->lost(); }

  static std::string root_of(const std::string& job) { return "/capstan/" + job; }
  static std::string leader_key(const std::string& root) { return root + "/leader"; }

 private:
  std::string edition_prefix(const std::string& edition) const;
  Result<std::string> read_edition();
  Status write(std::string_view text);
  Status commit(StoreCommit commit);

  KeyStore& store_;
  Leadership* leadership_;
  const Log& log_;
  EtcdJournalOptions options_;
  std::string edition_;
  std::string text_;            // as read, until begin()
  std::uint64_t last_key_ = 0;  // NUMBER
  bool failed_ = false;
};

}  // namespace capstan
