// The JSON that etcd's gateway is sent and answers with. What cannot be read is kCorrupt.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/key_store.h"
#include "common/result.h"

namespace capstan {

// The first keys in [from, to), at most `most`.
std::string etcd_range_request(const std::string& from, const std::string& to, std::uint32_t most);
Result<std::vector<StoredKey>> read_etcd_range(std::string_view text);

std::string etcd_commit_request(const StoreCommit& commit);
Result<CommitOutcome> read_etcd_commit(std::string_view text);

std::string etcd_grant_request(std::uint64_t seconds);
Result<StoreLease> read_etcd_lease(std::string_view text);

std::string etcd_lease_request(StoreLease lease);
// How long the lease lasts, 0: it has ended; nothing: the answer is not about it.
Result<std::optional<std::chrono::seconds>> read_etcd_time_left(std::string_view text, StoreLease lease);

// What an answer of another status than 200 means, as KeyStore's errors.
Error read_etcd_refusal(unsigned status, std::string_view text);

}  // namespace capstan
