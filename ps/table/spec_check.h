// Whether a table that a worker declares can be served.
#pragma once

#include "common/result.h"
#include "common/table_spec.h"

namespace capstan {

constexpr std::uint32_t kMaxDim = 1U << 16;

// kInvalid names the table and the setting. Specs come from the network: check before an EmbeddingTable is
// made.
Status check_table_spec(const TableSpec& spec);

}  // namespace capstan
