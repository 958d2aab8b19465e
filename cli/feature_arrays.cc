#include "cli/feature_arrays.h"

#include <spdlog/fmt/fmt.h>

#include <numeric>
#include <vector>

namespace capstan {
namespace {

struct Side {
  const char* name;
  FieldSource source;
  const std::vector<std::string>& ids;
  const std::vector<FieldColumn>& columns;  // parallel to the data's fields
};

Status write_ids(Storage& files, const std::string& path, const std::vector<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += id + "\n";
  return files.publish(path, std::as_bytes(std::span(text)));
}

Status write_columns(Storage& files, const std::string& path, const Side& side, const Dataset& data) {
  CAPSTAN_ASSIGN(NpzWriter writer, NpzWriter::create(files, path));
  for (std::size_t f = 0; f < data.fields.size(); ++f) {
    if (data.fields[f].source != side.source) continue;
    const FieldColumn& column = side.columns[f];
    const std::string& name = data.fields[f].name;
    if (data.fields[f].dense) {
      CAPSTAN_TRY(writer.add(name + ".numbers", column.values.as<float>(), 1));
      continue;
    }
    CAPSTAN_TRY(add_keys(writer, name, column.keys.as<Key>(), column.offsets.as<std::uint64_t>(),
                         column.weights.as<float>()));
  }
  return writer.finish();
}

}  // namespace

Status add_keys(NpzWriter& writer, const std::string& name, std::span<const std::uint64_t> keys,
                std::span<const std::uint64_t> offsets, std::span<const float> weights) {
  std::vector<std::uint64_t> one_each;
  if (offsets.empty()) {
    one_each.resize(keys.size() + 1);
    std::iota(one_each.begin(), one_each.end(), std::uint64_t{0});
  }
  CAPSTAN_TRY(writer.add(name + ".keys", keys));
  CAPSTAN_TRY(writer.add(name + ".offsets", offsets.empty() ? one_each : offsets));
  return weights.empty() ? ok_status() : writer.add(name + ".weights", weights, 1);
}

Result<std::string> write_sides(OfflineJob& job, const std::string& folder) {
  const Dataset& data = job.program->data();
  const Side sides[] = {{"users", FieldSource::kUser, data.user_names, data.user_fields},
                        {"items", FieldSource::kItem, data.item_names, data.item_fields}};
  std::string said;
  for (const Side& side : sides) {
    if (side.ids.empty()) continue;
    const std::string path = fmt::format("{}/{}", folder, side.name);
    CAPSTAN_TRY(write_ids(job.files, path + ".txt", side.ids));
    CAPSTAN_TRY(write_columns(job.files, path + ".npz", side, data));
    said += fmt::format("{0}.txt, {0}.npz: {1} {2}\n", path, side.ids.size(), side.name);
  }
  return said;
}

}  // namespace capstan
