#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {
namespace {

std::shared_ptr<const SectionSpec> init_schema() {
  const auto kind = word<InitKind>({
      {"zero", InitKind::kZero, ""},
      {"constant", InitKind::kConstant, "every weight is `scale`"},
      {"uniform", InitKind::kUniform, "from -scale to scale"},
      {"normal", InitKind::kNormal, "deviation `scale`"},
      {"xavier_uniform", InitKind::kXavierUniform, "by the layer's width"},
      {"he_normal", InitKind::kHeNormal, "by the layer's width"},
  });
  return SectionBuilder<InitSpec>()
      .key("type", &InitSpec::kind, kind, "What a row holds before its first push.")
      .key("scale", &InitSpec::scale, number<float>(), "See `type`.")
      .build();
}

// A table's optimizer starts from the one of all sparse tables: only what differs is written.
Codec<std::optional<OptimizerSpec>> own_optimizer() {
  auto codec = maybe(section<OptimizerSpec>(optimizer_schema()));
  codec.read = [inner = codec.read](std::optional<OptimizerSpec>& value, const YamlNode& node,
                                    const std::string& path, ReadContext& context) {
    value = context.optimizer_base;
    inner(value, node, path, context);
  };
  return codec;
}

}  // namespace

std::shared_ptr<const SectionSpec> table_schema() {
  const auto dtype = word<Dtype>({
      {"float32", Dtype::kFloat32, ""},
      {"bfloat16", Dtype::kBfloat16, "float32's range with 8 bits of precision"},
      {"float16", Dtype::kFloat16, "11 bits of precision, up to 65,504"},
  });
  return SectionBuilder<TableConfig>()
      .key("dim", &TableConfig::dim, maybe(integer<std::uint32_t>(between(1, 4096))), "Floats of a row.")
      .default_note("`model.embedding_dim`")
      .key("dtype", &TableConfig::dtype, maybe(dtype),
           "How weights are stored and travel. In 16 bits rows take half the memory and the wire; steps are "
           "rounded stochastically, gradients travel as bfloat16, optimizer state stays float32.")
      .default_note("float32, or that of `default`")
      .key("init", &TableConfig::init, maybe(section<InitSpec>(init_schema())), "What a fresh row holds.")
      .default_note("the model's choice")
      .key("optimizer", &TableConfig::optimizer, own_optimizer(),
           "Differences from `optimizer.sparse` (layers: `optimizer.dense`); the keys are the same.")
      .default_note("`optimizer.sparse` or `optimizer.dense`")
      .key("min_count", &TableConfig::min_count, maybe(integer<std::uint32_t>(between(0, 255))),
           "Pushes of a key that are seen before its row is admitted; 0: at once.")
      .default_note("0, or that of `default`")
      .key("ttl", &TableConfig::ttl_seconds, maybe(duration(std::chrono::seconds(1))),
           "Rows not touched for this long are evicted; 0: never.")
      .default_note("0, or that of `default`")
      .key("max_rows", &TableConfig::max_rows, maybe(integer<std::uint64_t>()),
           "Over all servers; the least recently used rows go first; 0: no limit. Each shard holds its part "
           "of "
           "it, so it is at least `cluster.num_shards`.")
      .default_note("0, or that of `default`")
      .build();
}

}  // namespace capstan
