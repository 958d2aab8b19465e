// The rows that a job's servers keep for one user alone, and their removal from a folder of checkpoints.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/storage.h"
#include "scheduler/manifest.h"
#include "worker/models/model.h"

namespace capstan {

using KeysByTable = std::map<std::string, std::set<Key>>;  // by the table's name in a manifest

// Of every table that no item is read from: the keys that stand in the user's rows and in nobody else's. A
// key that others share (a gender, an age band) is not the user's own.
KeysByTable keys_of_user_alone(const Dataset& data, const ModelTables& tables, std::uint32_t user);

// How many of these rows each table of a checkpoint holds, in any section of its chains.
Result<std::map<std::string, std::uint64_t>> count_rows(Storage& storage, const std::string& directory,
                                                        const Manifest& manifest, const KeysByTable& keys);

// Writes the checkpoint once more without these rows, as `number` in the folder `path`, whole and building on
// none. The window of pushes, counters and admission sketches stay as they were.
Status rewrite_without(Storage& storage, const std::string& path, const FoundCheckpoint& from,
                       std::uint64_t number, const KeysByTable& keys);

}  // namespace capstan
