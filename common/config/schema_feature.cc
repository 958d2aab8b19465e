#include "common/config/codecs.h"
#include "common/config/schema.h"
#include "common/config/transforms.h"

namespace capstan {

std::shared_ptr<const SectionSpec> feature_schema() {
  const auto pooling = word<Pooling>({
      {"sum", Pooling::kSum, ""},
      {"mean", Pooling::kMean, ""},
      {"max", Pooling::kMax, ""},
      {"none", Pooling::kNone,
       "the vectors stay apart, side by side: mlp, wide_deep, dcn_v2, finalmlp and the MLP half of neumf"},
  });
  return SectionBuilder<FeatureConfig>()
      .key("name", &FeatureConfig::name, text(), "The feature's name.")
      .default_note("the names of its columns, joined by `_`")
      .key("columns", &FeatureConfig::columns, list(text()), "The columns that it is made of; most have one.")
      .alias("column")
      .default_note("a column with the feature's name")
      .key("transform", &FeatureConfig::transform, transform_chain(),
           "Steps from text to keys or a number; see [Transforms](#transforms).")
      .default_note(
          "ids of a ranking job are numbered from 0 in the order of the files, columns with a number rule in "
          "`data.clean` stay numbers, several columns are crossed, other text is hashed")
      .key("table", &FeatureConfig::table, text(), "The table of its embeddings; features may share one.")
      .default_note("the feature's name")
      .key("pooling", &FeatureConfig::pooling, pooling, "How the vectors of a list become one.")
      .key("length", &FeatureConfig::length, integer<std::uint32_t>(between(0, 10000)),
           "`pooling: none` on a list: the vectors of its first so many keys, zeros where there are fewer.")
      .build();
}

}  // namespace capstan
