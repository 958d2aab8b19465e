#include "worker/data/readers/registry.h"

#include "common/assert.h"
#include "worker/data/readers/criteo.h"
#include "worker/data/readers/csv.h"
#include "worker/data/readers/item_lists.h"
#include "worker/data/readers/jsonl.h"
#include "worker/data/readers/libffm.h"
#include "worker/data/readers/libsvm.h"

namespace capstan {

std::unique_ptr<LineFormat> make_line_format(const FileFormat& format) {
  switch (format.kind) {
    case DataFormat::kCsv:
    case DataFormat::kTsv:
      return make_csv(format);
    case DataFormat::kLibsvm:
      return make_libsvm();
    case DataFormat::kLibffm:
      return make_libffm();
    case DataFormat::kCriteo:
      return make_criteo();
    case DataFormat::kJsonl:
      return make_jsonl(format);
    case DataFormat::kItemLists:
      return make_item_lists();
    case DataFormat::kMovielens:
      break;
  }
  CAPSTAN_ASSERT(false, "not a format of lines");
  return nullptr;
}

}  // namespace capstan
