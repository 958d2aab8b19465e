#include "common/config/codecs.h"
#include "common/config/names.h"
#include "common/config/schema.h"

namespace capstan {
namespace {

// Tables by name. "default" is read first: the others start from its optimizer.
Codec<std::map<std::string, TableConfig>> tables() {
  const auto spec = table_schema();
  Codec<std::map<std::string, TableConfig>> codec;
  codec.type = {"map of sections", "", {}, spec};
  codec.read = [spec](std::map<std::string, TableConfig>& value, const YamlNode& node,
                      const std::string& path, ReadContext& context) {
    if (node.is_null()) return;
    if (!node.is_map()) return wrong_type(node, path, "a map from a table's name to its settings", context);
    const OptimizerSpec base = context.optimizer_base;
    const auto read_one = [&](const YamlNode::Entry& entry, const OptimizerSpec& optimizer) {
      const std::string here = join_path(path, entry.key);
      context.note(here, entry.place);
      context.optimizer_base = optimizer;
      read_section(*spec, &value[entry.key], entry.value, here, context);
    };
    OptimizerSpec all_sparse = base;
    for (const auto& entry : node.entries) {
      if (entry.key != "default") continue;
      read_one(entry, base);
      all_sparse = value[entry.key].optimizer.value_or(base);
    }
    for (const auto& entry : node.entries) {
      if (entry.key != "default")
        read_one(entry, is_layer_table(entry.key) ? context.layer_optimizer : all_sparse);
    }
    context.optimizer_base = base;
  };
  codec.write = [spec](const std::map<std::string, TableConfig>& value) {
    YamlNode node = YamlNode::map();
    for (const auto& [name, table] : value) node.add(name, write_section(*spec, &table));
    return node;
  };
  return codec;
}

std::shared_ptr<const SectionSpec> both_optimizers() {
  auto sparse = section<OptimizerSpec>(optimizer_schema());
  sparse.read = [inner = sparse.read](OptimizerSpec& value, const YamlNode& node, const std::string& path,
                                      ReadContext& context) {
    inner(value, node, path, context);
    context.optimizer_base = value;
  };
  auto dense = section<OptimizerSpec>(optimizer_schema(JobConfig().dense_optimizer));
  dense.read = [inner = dense.read](OptimizerSpec& value, const YamlNode& node, const std::string& path,
                                    ReadContext& context) {
    inner(value, node, path, context);
    context.layer_optimizer = value;
  };
  return SectionBuilder<JobConfig>()
      .key("sparse", &JobConfig::sparse_optimizer, sparse, "For embedding tables.")
      .key("dense", &JobConfig::dense_optimizer, dense, "For layers.")
      .build();
}

}  // namespace

std::shared_ptr<const SectionSpec> job_schema() {
  const auto task = word<Task>({
      {"ctr", Task::kCtr, "a 0/1 label for each example"},
      {"rating", Task::kRating, "a number for each user and item"},
      {"ranking", Task::kRanking, "which items come next for a user"},
      {"direct", Task::kDirect, "nothing: programs pull and push the rows of `tables` by themselves"},
  });
  return SectionBuilder<JobConfig>()
      .key("job", &JobConfig::name, text(), "The job's name: letters, digits, '-', '_' and '.'.")
      .default_note("none: it must be given")
      .key("task", &JobConfig::task, task, "What is predicted.")
      .key("seed", &JobConfig::seed, integer<std::uint64_t>(), "Fixes every random choice.")
      .key("work_dir", &JobConfig::work_dir, text(), "Prepared data, journal and logs.")
      .default_note(".capstan/NAME")
      .key("data", &JobConfig::data, section<DataConfig>(data_schema()), "What is read.")
      .key("features", &JobConfig::features, list(section<FeatureConfig>(feature_schema())),
           "What the model sees of an example. In a ranking job a column of the events describes the moment: "
           "negatives and candidates get the value of the event they stand beside, so what depends on the "
           "item "
           "belongs in `data.items`.")
      .default_note(
          "user and item for a ranking or rating job; every column but label and time for a ctr job: numbers "
          "(criteo's integers, columns with a number rule in `data.clean`) by `{bucketise: {quantiles: "
          "32}}`, "
          "columns of libsvm and libffm by `weighted`, the others by `hash`")
      .key("model", &JobConfig::model, section<ModelConfig>(model_schema()), "What is trained.")
      .group("optimizer", both_optimizers(), "How weights follow gradients.")
      .key("tables", &JobConfig::tables, tables(),
           "Settings of single tables by name, or of all under `default`.")
      .key("train", &JobConfig::train, section<TrainConfig>(train_schema()), "How training goes.")
      .key("evaluate", &JobConfig::evaluate, section<EvaluateConfig>(evaluate_schema()),
           "How the result is measured.")
      .key("tune", &JobConfig::tune, section<TuneConfig>(tune_schema()),
           "What `capstan tune` searches; the other commands read past it.")
      .key("checkpoint", &JobConfig::checkpoint, section<CheckpointConfig>(checkpoint_schema()),
           "What is kept for a restart.")
      .key("cluster", &JobConfig::cluster, section<ClusterConfig>(cluster_schema()), "The processes.")
      .key("scheduler", &JobConfig::scheduler, section<SchedulerConfig>(scheduler_schema()),
           "What the scheduler remembers by, and whether a second one stands by.")
      .key("report", &JobConfig::report, text(), "A JSON file with all results; empty: none.")
      .build();
}

}  // namespace capstan
