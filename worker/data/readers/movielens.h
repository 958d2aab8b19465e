// The folders in which MovieLens is published.
#pragma once

#include <string>

#include "common/result.h"
#include "worker/data/readers/line_format.h"

namespace capstan {

// Events have the columns user, item, rating, time; items have item, title, genres ("Action|Comedy"); users,
// where the folder has them, user, gender, age, occupation, zip.
struct MovielensLayout {
  std::string name;  // "ml-latest", "ml-100k", "ml-1m"
  std::string events_path, items_path;
  FileFormat events, items;
  std::string users_path;  // empty: the folder has none
  FileFormat users;
};

// Recognises ratings.csv + movies.csv (ml-latest, ml-latest-small, ml-20m on), u.data + u.item (ml-100k),
// ratings.dat + movies.dat (ml-1m, ml-10m); each file may also end in .gz or .zst. kNotFound says what was
// looked for and what is there.
Result<MovielensLayout> find_movielens(const std::string& folder);

// The columns of the items file brought to item, title, genres (ml-100k has a column of 0/1 for each genre).
class BadLines;
struct RawTable;
Result<RawTable> read_movielens_items(const MovielensLayout& layout, BadLines& bad);

}  // namespace capstan
