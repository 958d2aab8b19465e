// What the commands about lists share.
#include <map>
#include <span>

#include "cli/lists/list_commands.h"
#include "common/adapters/any_storage.h"
#include "worker/data/side_columns.h"

namespace capstan {

Result<Reranking> read_reranking(const std::vector<std::string>& steps, std::uint32_t pool,
                                 const JobConfig& job, const Dataset& data) {
  Reranking reranking;
  reranking.pool = pool;
  for (const std::string& text : steps) {
    CAPSTAN_ASSIGN(RerankStep step, parse_rerank_step(text));
    if (!step.by.empty() && !reranking.categories.contains(step.by)) {
      CAPSTAN_ASSIGN(const auto texts, item_column(job, data, step.by));
      reranking.categories[step.by] = item_categories(texts);
    }
    reranking.steps.push_back(std::move(step));
  }
  CAPSTAN_TRY(rerank_settings(reranking.steps));
  return reranking;
}

Status write_list_report(const std::string& path, const std::string& json) {
  AnyStorage files;
  return files.publish(path, std::as_bytes(std::span(json)));
}

}  // namespace capstan
