// Every journal record as JSON and back.
#include <map>

#include "scheduler/journal.h"
#include "scheduler/records_json.h"

namespace capstan {

namespace {

template <typename... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overload(Ts...) -> Overload<Ts...>;

json::array parts_json(const std::vector<EvaluatePart>& parts) {
  json::array array;
  for (const EvaluatePart& part : parts) {
    array.push_back(json::object{{"name", part.name}, {"partitions", part.partitions}});
  }
  return array;
}

json::array shards_json(const std::vector<ShardEntry>& shards) {
  json::array array;
  for (const ShardEntry& entry : shards) {
    json::array chain(entry.chain.begin(), entry.chain.end());
    json::object object{{"shard", entry.shard}, {"epoch", entry.epoch}, {"chain", std::move(chain)}};
    if (entry.learner != 0) object["learner"] = entry.learner;
    array.push_back(std::move(object));
  }
  return array;
}

json::array cursors_json(const std::vector<WorkCursor>& cursors) {
  json::array array;
  for (const WorkCursor& cursor : cursors) array.push_back(to_json(cursor));
  return array;
}

json::object counts_json(const DataCounts& counts) {
  return {{"valid", counts.valid}, {"test", counts.test}, {"users", counts.users}, {"items", counts.items}};
}

json::object tables_json(const TablesAgreed& r) {
  return {{"record", "tables"},
          {"tables", to_json(r.tables)},
          {"data_fingerprint", r.data_fingerprint},
          {"train_examples", r.train_examples},
          {"parts", parts_json(r.parts)},
          {"summary", r.summary},
          {"counts", counts_json(r.counts)},
          {"num_partitions", r.num_partitions},
          {"sketch_width", r.sketch_width}};
}

json::object node_json(const NodeGreeted& node) {
  return {{"record", "node"},
          {"id", node.id},
          {"role", static_cast<int>(node.role)},
          {"name", node.name},
          {"endpoint", node.endpoint},
          {"host", node.host},
          {"zone", node.zone},
          {"incarnation", node.incarnation},
          {"memory_limit", node.memory_limit}};
}

json::object encode_record(const JournalRecord& record) {
  return std::visit(
      Overload{
          [](const RunBegun& r) {
            return json::object{{"record", "run"}, {"generation", r.generation}};
          },
          [](const GenerationRaised& r) {
            return json::object{{"record", "generation"}, {"generation", r.generation}};
          },
          [](const NodeGreeted& r) { return node_json(r); },
          [](const NodeDrains& r) {
            return json::object{{"record", "drain"}, {"id", r.id}};
          },
          [](const NodeReady& r) {
            return json::object{{"record", "ready"}, {"id", r.id}, {"incarnation", r.incarnation}};
          },
          [](const TablesAgreed& r) { return tables_json(r); },
          [](const MapChanged& r) {
            return json::object{{"record", "map"}, {"shards", shards_json(r.shards)}};
          },
          [](const StateReached& r) {
            return json::object{{"record", "state"}, {"state", r.state}, {"pass", r.pass}, {"text", r.text}};
          },
          [](const WorkGranted& r) {
            return json::object{{"record", "grant"}, {"cursor", to_json(r.cursor)}, {"worker", r.worker}};
          },
          [](const WorkFinished& r) {
            return json::object{{"record", "finish"}, {"cursor", to_json(r.cursor)}, {"worker", r.worker}};
          },
          [](const WorkSplit& r) {
            return json::object{{"record", "split"}, {"kept", to_json(r.kept)}, {"rest", to_json(r.rest)}};
          },
          [](const PassFinished& r) {
            return json::object{{"record", "pass"},
                                {"pass", r.pass},
                                {"examples", r.examples},
                                {"bad_batches", r.bad_batches},
                                {"loss_sum", json_number(r.loss_sum)},
                                {"seconds", r.seconds},
                                {"slices", r.slices},
                                {"steps", r.steps}};
          },
          [](const PassValidated& r) {
            return json::object{{"record", "validated"},
                                {"pass", r.pass},
                                {"better", json_number(r.better)},
                                {"json", r.json}};
          },
          [](const CutBegun& r) {
            return json::object{
                {"record", "cut"}, {"checkpoint", r.checkpoint}, {"cursors", cursors_json(r.cursors)}};
          },
          [](const CheckpointPublished& r) {
            return json::object{{"record", "checkpoint"},
                                {"checkpoint", r.checkpoint},
                                {"passes", r.passes},
                                {"best", r.best}};
          },
      },
      record);
}

Result<JournalRecord> read_node(JsonReader& in) {
  NodeGreeted r;
  in.unsigned_of("id", r.id);
  in.enum_of("role", Role::kTool, r.role);
  in.text_of("name", r.name);
  in.text_of("endpoint", r.endpoint);
  in.text_of("host", r.host);
  in.text_of("zone", r.zone);
  in.unsigned_of("incarnation", r.incarnation);
  in.unsigned_of("memory_limit", r.memory_limit);
  return JournalRecord(r);
}

Result<JournalRecord> read_tables(JsonReader& in) {
  TablesAgreed r;
  in.each_of("tables", [&](const json::object& object) -> Status {
    CAPSTAN_ASSIGN(TableSpec table, table_from_json(object));
    r.tables.push_back(std::move(table));
    return ok_status();
  });
  in.unsigned_of("data_fingerprint", r.data_fingerprint);
  in.unsigned_of("train_examples", r.train_examples);
  in.each_of("parts", [&](const json::object& object) -> Status {
    EvaluatePart part;
    JsonReader fields(object);
    fields.text_of("name", part.name);
    fields.unsigned_of("partitions", part.partitions);
    r.parts.push_back(std::move(part));
    return fields.status();
  });
  in.text_of("summary", r.summary);
  if (const json::object* counts = nullptr; in.object_of("counts", counts), counts != nullptr) {
    JsonReader fields(*counts);
    fields.unsigned_of("valid", r.counts.valid);
    fields.unsigned_of("test", r.counts.test);
    fields.unsigned_of("users", r.counts.users);
    fields.unsigned_of("items", r.counts.items);
  }
  in.unsigned_of("num_partitions", r.num_partitions);
  in.unsigned_of("sketch_width", r.sketch_width);
  return JournalRecord(std::move(r));
}

Result<JournalRecord> read_map(JsonReader& in) {
  MapChanged r;
  in.each_of("shards", [&](const json::object& object) -> Status {
    ShardEntry entry;
    JsonReader fields(object);
    fields.unsigned_of("shard", entry.shard);
    fields.unsigned_of("epoch", entry.epoch);
    CAPSTAN_TRY(fields.status());
    const json::value* chain = object.if_contains("chain");
    if (chain == nullptr || !chain->is_array()) return make_error(ErrorCode::kCorrupt, "no chain");
    for (const json::value& id : chain->get_array()) {
      boost::system::error_code failed;
      entry.chain.push_back(id.to_number<NodeId>(failed));
      if (failed) return make_error(ErrorCode::kCorrupt, "bad chain");
    }
    if (object.contains("learner")) fields.unsigned_of("learner", entry.learner);
    CAPSTAN_TRY(fields.status());
    r.shards.push_back(std::move(entry));
    return ok_status();
  });
  return JournalRecord(std::move(r));
}

// WorkGranted and WorkFinished.
template <typename Record>
Result<JournalRecord> read_worked(JsonReader& in) {
  Record r;
  const json::object* cursor = nullptr;
  in.object_of("cursor", cursor);
  in.unsigned_of("worker", r.worker);
  CAPSTAN_TRY(in.status());
  CAPSTAN_ASSIGN(r.cursor, cursor_from_json(*cursor));
  return JournalRecord(std::move(r));
}

Result<JournalRecord> read_split(JsonReader& in) {
  WorkSplit r;
  const json::object* kept = nullptr;
  const json::object* rest = nullptr;
  in.object_of("kept", kept);
  in.object_of("rest", rest);
  CAPSTAN_TRY(in.status());
  CAPSTAN_ASSIGN(r.kept, cursor_from_json(*kept));
  CAPSTAN_ASSIGN(r.rest, cursor_from_json(*rest));
  return JournalRecord(std::move(r));
}

Result<JournalRecord> read_pass(JsonReader& in) {
  PassFinished r;
  in.unsigned_of("pass", r.pass);
  in.unsigned_of("examples", r.examples);
  in.unsigned_of("bad_batches", r.bad_batches);
  in.real_of("loss_sum", r.loss_sum);
  in.real_of("seconds", r.seconds);
  in.unsigned_of("slices", r.slices);
  in.unsigned_of("steps", r.steps);
  return JournalRecord(r);
}

Result<JournalRecord> read_cut(JsonReader& in) {
  CutBegun r;
  in.unsigned_of("checkpoint", r.checkpoint);
  in.each_of("cursors", [&](const json::object& object) -> Status {
    CAPSTAN_ASSIGN(WorkCursor cursor, cursor_from_json(object));
    r.cursors.push_back(std::move(cursor));
    return ok_status();
  });
  return JournalRecord(std::move(r));
}

Result<JournalRecord> read_small(std::string_view kind, JsonReader& in) {
  if (kind == "run") {
    RunBegun r;
    in.unsigned_of("generation", r.generation);
    return JournalRecord(r);
  }
  if (kind == "generation") {
    GenerationRaised r;
    in.unsigned_of("generation", r.generation);
    return JournalRecord(r);
  }
  if (kind == "drain") {
    NodeDrains r;
    in.unsigned_of("id", r.id);
    return JournalRecord(r);
  }
  if (kind == "ready") {
    NodeReady r;
    in.unsigned_of("id", r.id);
    in.unsigned_of("incarnation", r.incarnation);
    return JournalRecord(r);
  }
  if (kind == "state") {
    StateReached r;
    in.text_of("state", r.state);
    in.unsigned_of("pass", r.pass);
    in.text_of("text", r.text);
    return JournalRecord(std::move(r));
  }
  if (kind == "validated") {
    PassValidated r;
    in.unsigned_of("pass", r.pass);
    in.real_of("better", r.better);
    in.text_of("json", r.json);
    return JournalRecord(std::move(r));
  }
  if (kind == "checkpoint") {
    CheckpointPublished r;
    in.unsigned_of("checkpoint", r.checkpoint);
    in.unsigned_of("passes", r.passes);
    in.bool_of("best", r.best);
    return JournalRecord(r);
  }
  return make_error(ErrorCode::kCorrupt, "unknown record " + std::string(kind));
}

Result<JournalRecord> decode_record(const std::string& kind, JsonReader& in) {
  if (kind == "node") return read_node(in);
  if (kind == "tables") return read_tables(in);
  if (kind == "map") return read_map(in);
  if (kind == "grant") return read_worked<WorkGranted>(in);
  if (kind == "finish") return read_worked<WorkFinished>(in);
  if (kind == "split") return read_split(in);
  if (kind == "pass") return read_pass(in);
  if (kind == "cut") return read_cut(in);
  return read_small(kind, in);
}

}  // namespace

std::string to_json_text(const JournalRecord& record) {
  return json::serialize(encode_record(record));
}

Result<JournalRecord> record_from_json(std::string_view text) {
  CAPSTAN_ASSIGN(const json::object object, parse_json_object(text));
  JsonReader in(object);
  std::string kind;
  in.text_of("record", kind);
  CAPSTAN_TRY(in.status());
  CAPSTAN_ASSIGN(JournalRecord record, decode_record(kind, in));
  CAPSTAN_TRY(in.status());
  return record;
}

}  // namespace capstan
