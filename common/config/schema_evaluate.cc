#include "common/config/codecs.h"
#include "common/config/names.h"
#include "common/config/schema.h"

namespace capstan {
namespace {

// "ndcg" or "ndcg@5".
Codec<std::string> metric() {
  auto codec = name_of(metric_words());
  codec.read = [inner = codec.read](std::string& value, const YamlNode& node, const std::string& path,
                                    ReadContext& context) {
    const auto at = node.scalar.find('@');
    YamlNode base = node;
    base.scalar = metric_base(node.scalar);
    std::string name;
    inner(name, base, path, context);
    if (name.empty()) return;
    const bool has_k = at != std::string::npos;
    const auto k = has_k ? parse_uint(std::string_view(node.scalar).substr(at + 1)) : std::nullopt;
    constexpr std::uint64_t kLongest = 100000;
    if (has_k && !(metric_fits(name, Task::kRanking) && k && *k >= 1 && *k <= kLongest)) {
      return wrong_type(node, path, "a metric, or a ranking metric with its length as in ndcg@10", context);
    }
    value = node.scalar;
  };
  return codec;
}

}  // namespace

std::shared_ptr<const SectionSpec> evaluate_schema() {
  const auto count = integer<std::uint32_t>;
  return SectionBuilder<EvaluateConfig>()
      .key("metrics", &EvaluateConfig::metrics, list(metric()),
           "What is measured; a ranking metric may have a length of its own, `ndcg@5`.")
      .default_note("the task's usual ones")
      .key("at", &EvaluateConfig::at, list(count(between(1, 100000))), "Ranking: the lengths of the list.")
      .key("sampled_negatives", &EvaluateConfig::sampled_negatives, count(between(0, 1000000)),
           "Ranks a user's test items together among so many random others; 0: among all items.")
      .key("every_passes", &EvaluateConfig::every_passes, count(between(0, 100000)),
           "Validates after so many passes; 0: only at the end.")
      .key("baselines", &EvaluateConfig::baselines, list(name_of(baseline_words())),
           "Ranking: shown beside the model.")
      .key("bootstrap", &EvaluateConfig::bootstrap, count(between(0, 1000000)),
           "Resamplings for the paired interval of model against baseline; 0: none.")
      .key("recommend_users", &EvaluateConfig::recommend_users, count(between(0, 1000)),
           "Ranking: users shown with their recommendations at the end.")
      .key("beside", &EvaluateConfig::beside, list(name_of(beside_words())),
           "Ranking, `capstan run`: after the job itself it is trained and judged anew on these splits, with "
           "the "
           "same settings and fresh tables; figures under `test.beside` of the report.")
      .key("test", &EvaluateConfig::test, boolean(),
           "Judge the model on the test part at the end; false: it is never scored, as in the trials of "
           "`capstan tune`.")
      .key("keep_values", &EvaluateConfig::keep_values, boolean(),
           "Beside a report NAME.json write NAME.values.npz: what each user (ranking) or example of the test "
           "part got, for `capstan compare`.")
      .build();
}

}  // namespace capstan
