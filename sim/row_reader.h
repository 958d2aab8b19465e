// RowReader: a tool in a simulated world that asks servers for rows over the network, as `capstan get` does.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/hash.h"
#include "common/table_spec.h"
#include "sim/world.h"

namespace capstan {

// Asks every endpoint for every key; a key without a row has no entry. Runs the world until all is answered,
// asking again what is lost. The node must have no program; it is restarted for each call.
// [dim] floats a row: the weights.
std::map<Key, std::vector<float>> read_rows(SimWorld& world, SimNode& node, const std::string& job_id,
                                            const std::vector<std::string>& endpoints, const TableSpec& table,
                                            const std::vector<Key>& keys);

}  // namespace capstan
