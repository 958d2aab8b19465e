// A checkpoint's tables as files for other programs.
#pragma once

#include <string>

#include "cli/checkpoint_tables.h"

namespace capstan {

// The name of a file for what is called `text`, which may be anything, without an ending: one step of a
// path, different for different names.
std::string file_name(const std::string& text);

// format: npz (arrays keys and weights) or tsv (a line a row). Gives the number of rows.
// A file that could not be finished is removed.
Result<std::uint64_t> write_table(Storage& storage, const std::string& path, const std::string& format,
                                  const CheckpointTables& tables, std::uint32_t table);

}  // namespace capstan
