// Prepared data on disk: written once, then mapped by every process of a job. docs/FORMATS.md describes the
// files.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"
#include "common/storage.h"
#include "worker/data/dataset.h"

namespace capstan {

// Writes `folder`/columns.bin, then `folder`/meta.json, each beside and renamed; a reader sees the whole or
// nothing.
Status write_prepared(Storage& storage, const std::string& folder, const Dataset& data);

// Maps what write_prepared() wrote. kNotFound: nothing is there; kCorrupt: it is of another version or
// fingerprint, or a block does not match its checksum.
Result<Dataset> map_prepared(const std::string& folder, std::uint64_t fingerprint);

}  // namespace capstan
