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

// The bytes of the two files as data; `folder` is for words. The blocks are slices of `columns`. kCorrupt:
// they are of another version or fingerprint, do not match a checksum, or are not the rows that they say.
Result<Dataset> read_prepared(const Buffer& meta, const Buffer& columns, const std::string& folder,
                              std::uint64_t fingerprint);

// Maps what write_prepared() wrote. kNotFound: nothing is there; kCorrupt: as above.
Result<Dataset> map_prepared(const std::string& folder, std::uint64_t fingerprint);

}  // namespace capstan
