// The protocol's values as JSON, shared by the journal and the manifest. Included by .cc files.
#pragma once

#include "common/message.h"
#include "scheduler/json.h"

namespace capstan {

json::object to_json(const TableSpec& table);
Result<TableSpec> table_from_json(const json::object& object);
json::array to_json(const std::vector<TableSpec>& tables);

json::object to_json(const WorkCursor& cursor);
Result<WorkCursor> cursor_from_json(const json::object& object);

json::object to_json(const ShardSection& section);
Result<ShardSection> section_from_json(const json::object& object);

}  // namespace capstan
