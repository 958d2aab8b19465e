#include "scheduler/records_json.h"

namespace capstan {

namespace {

json::object to_json(const InitSpec& init) {
  return {{"kind", static_cast<int>(init.kind)},
          {"scale", init.scale},
          {"fan_in", init.fan_in},
          {"fan_out", init.fan_out},
          {"seed", init.seed},
          {"zero_from_key", init.zero_from_key}};
}

Status read_init(const json::object& object, InitSpec& init) {
  JsonReader in(object);
  in.enum_of("kind", InitKind::kHeNormal, init.kind);
  in.real_of("scale", init.scale);
  in.unsigned_of("fan_in", init.fan_in);
  in.unsigned_of("fan_out", init.fan_out);
  in.unsigned_of("seed", init.seed);
  in.unsigned_of("zero_from_key", init.zero_from_key);
  return in.status();
}

json::object to_json(const OptimizerSpec& optimizer) {
  const ScheduleSpec& schedule = optimizer.schedule;
  return {{"kind", static_cast<int>(optimizer.kind)},
          {"learning_rate", optimizer.learning_rate},
          {"beta1", optimizer.beta1},
          {"beta2", optimizer.beta2},
          {"epsilon", optimizer.epsilon},
          {"initial_accumulator", optimizer.initial_accumulator},
          {"ftrl_beta", optimizer.ftrl_beta},
          {"l1", optimizer.l1},
          {"l2", optimizer.l2},
          {"l2_mode", static_cast<int>(optimizer.l2_mode)},
          {"clip_norm", optimizer.clip_norm},
          {"schedule", static_cast<int>(schedule.kind)},
          {"warmup_steps", schedule.warmup_steps},
          {"decay_steps", schedule.decay_steps},
          {"decay", schedule.decay},
          {"floor", schedule.floor}};
}

Status read_optimizer(const json::object& object, OptimizerSpec& optimizer) {
  JsonReader in(object);
  in.enum_of("kind", OptimizerKind::kAssign, optimizer.kind);
  in.real_of("learning_rate", optimizer.learning_rate);
  in.real_of("beta1", optimizer.beta1);
  in.real_of("beta2", optimizer.beta2);
  in.real_of("epsilon", optimizer.epsilon);
  in.real_of("initial_accumulator", optimizer.initial_accumulator);
  in.real_of("ftrl_beta", optimizer.ftrl_beta);
  in.real_of("l1", optimizer.l1);
  in.real_of("l2", optimizer.l2);
  in.enum_of("l2_mode", L2Mode::kDecayed, optimizer.l2_mode);
  in.real_of("clip_norm", optimizer.clip_norm);
  in.enum_of("schedule", ScheduleKind::kInverseSqrt, optimizer.schedule.kind);
  in.unsigned_of("warmup_steps", optimizer.schedule.warmup_steps);
  in.unsigned_of("decay_steps", optimizer.schedule.decay_steps);
  in.real_of("decay", optimizer.schedule.decay);
  in.real_of("floor", optimizer.schedule.floor);
  return in.status();
}

}  // namespace

json::object to_json(const TableSpec& table) {
  return {{"name", table.name},
          {"dim", table.dim},
          {"dtype", static_cast<int>(table.dtype)},
          {"dense", table.dense},
          {"num_rows", table.num_rows},
          {"init", to_json(table.init)},
          {"optimizer", to_json(table.optimizer)},
          {"min_count", table.min_count},
          {"ttl_seconds", table.ttl_seconds},
          {"max_rows", table.max_rows}};
}

Result<TableSpec> table_from_json(const json::object& object) {
  TableSpec table;
  JsonReader in(object);
  in.text_of("name", table.name);
  in.unsigned_of("dim", table.dim);
  // Manifests of builds that knew float32 alone have none.
  if (object.contains("dtype")) in.enum_of("dtype", Dtype::kFloat16, table.dtype);
  in.bool_of("dense", table.dense);
  in.unsigned_of("num_rows", table.num_rows);
  in.unsigned_of("min_count", table.min_count);
  in.unsigned_of("ttl_seconds", table.ttl_seconds);
  in.unsigned_of("max_rows", table.max_rows);
  const json::object* init = nullptr;
  const json::object* optimizer = nullptr;
  in.object_of("init", init);
  in.object_of("optimizer", optimizer);
  CAPSTAN_TRY(in.status());
  CAPSTAN_TRY(read_init(*init, table.init));
  CAPSTAN_TRY(read_optimizer(*optimizer, table.optimizer));
  return table;
}

json::array to_json(const std::vector<TableSpec>& tables) {
  json::array array;
  for (const TableSpec& table : tables) array.push_back(to_json(table));
  return array;
}

json::object to_json(const WorkCursor& cursor) {
  return {{"kind", cursor.work.kind},
          {"pass", cursor.work.pass},
          {"partition", cursor.work.partition},
          {"name", cursor.work.name},
          {"term", cursor.term},
          {"watermark", cursor.watermark},
          {"examples", cursor.examples},
          {"loss_sum", json_number(cursor.loss_sum)},
          {"batches", cursor.batches},
          {"end", cursor.end},
          {"bad_batches", cursor.bad_batches},
          {"slices", cursor.slices}};
}

Result<WorkCursor> cursor_from_json(const json::object& object) {
  WorkCursor cursor;
  JsonReader in(object);
  in.unsigned_of("kind", cursor.work.kind);
  in.unsigned_of("pass", cursor.work.pass);
  in.unsigned_of("partition", cursor.work.partition);
  in.text_of("name", cursor.work.name);
  in.unsigned_of("term", cursor.term);
  in.unsigned_of("watermark", cursor.watermark);
  in.unsigned_of("examples", cursor.examples);
  in.real_of("loss_sum", cursor.loss_sum);
  in.unsigned_of("batches", cursor.batches);
  in.unsigned_of("end", cursor.end);
  in.unsigned_of("bad_batches", cursor.bad_batches);
  in.unsigned_of("slices", cursor.slices);
  CAPSTAN_TRY(in.status());
  return cursor;
}

json::object to_json(const ShardSection& section) {
  json::object object = {{"shard", section.shard},       {"file", section.file},
                         {"offset", section.offset},     {"length", section.length},
                         {"checksum", section.checksum}, {"rows", section.rows}};
  if (!section.folder.empty()) object["folder"] = section.folder;
  if (section.base != 0) object["base"] = section.base;
  return object;
}

// Out of the folder that the path is put together from; empty ones do not.
bool leads_out(std::string_view name) {
  return name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos || name == "." ||
         name == "..";
}

Result<ShardSection> section_from_json(const json::object& object) {
  ShardSection section;
  JsonReader in(object);
  in.unsigned_of("shard", section.shard);
  in.text_of("file", section.file);
  in.unsigned_of("offset", section.offset);
  in.unsigned_of("length", section.length);
  in.unsigned_of("checksum", section.checksum);
  in.unsigned_of("rows", section.rows);
  if (object.contains("folder")) in.text_of("folder", section.folder);
  if (object.contains("base")) in.unsigned_of("base", section.base);
  CAPSTAN_TRY(in.status());
  for (const std::string& name : {section.file, section.folder}) {
    if (!leads_out(name)) continue;
    return make_error(ErrorCode::kCorrupt, "shard " + std::to_string(section.shard) + " lies in '" + name +
                                               "', which is no name of a file or folder");
  }
  return section;
}

}  // namespace capstan
