#include "worker/data/features.h"

#include <numeric>

namespace capstan {
namespace {

BuiltField id_field(std::string name, FieldSource source, std::uint32_t count) {
  BuiltField field;
  field.info.table = name;
  field.info.name = std::move(name);
  field.info.source = source;
  field.info.cardinality = count;
  std::vector<Key> keys(count);
  std::iota(keys.begin(), keys.end(), Key{0});
  field.column.keys = Buffer::adopt(std::move(keys));
  return field;
}

}  // namespace

Result<std::vector<BuiltField>> build_features(const JobConfig& job, const Sources& sources,
                                               const Events& events) {
  static_cast<void>(sources);
  std::vector<BuiltField> fields;
  if (job.task != Task::kCtr) {
    fields.push_back(id_field("user", FieldSource::kUser, events.user_ids.size()));
    fields.push_back(id_field("item", FieldSource::kItem, events.item_ids.size()));
  }
  return fields;
}

}  // namespace capstan
