#include "common/config/rewrite_job.h"

#include "common/config/load_job.h"
#include "common/config/overrides.h"
#include "common/config/yaml_emit.h"
#include "common/config/yaml_parse.h"

namespace capstan {

Result<std::string> rewrite_job(const std::string& path, const std::vector<std::string>& overrides) {
  CAPSTAN_ASSIGN(const std::string text, read_job_file(path));
  ConfigErrors errors;
  YamlNode root = parse_yaml(text, path, errors.all);
  substitute(root, process_environment(), errors.all);
  apply_overrides(root, overrides, errors.all);
  if (!errors.all.empty()) return make_error(ErrorCode::kInvalid, errors.text());
  std::erase_if(root.entries, [](const YamlNode::Entry& entry) { return entry.key == "tune"; });
  return emit_yaml(root);
}

}  // namespace capstan
