#!/usr/bin/env bash
# Writes MovieLens latest-small (100,004 ratings, 671 users, 9,066 films) from Debian's r-cran-dslabs as
# ratings.csv and movies.csv. Usage: scripts/movielens_from_debian.sh DIR
set -euo pipefail
cd "$(dirname "$0")/.."
directory="${1:?where to write}"
scripts/install.sh --only r-base-core r-cran-dslabs
mkdir -p "$directory"
LC_ALL=C.UTF-8 Rscript --vanilla - "$directory" <<'R'
out <- commandArgs(trailingOnly = TRUE)[1]
data("movielens", package = "dslabs")
named <- ifelse(is.na(movielens$year), movielens$title, sprintf("%s (%s)", movielens$title, movielens$year))
movies <- unique(data.frame(movieId = movielens$movieId, title = named, genres = movielens$genres))
ratings <- movielens[, c("userId", "movieId", "rating", "timestamp")]
write.csv(movies[order(movies$movieId), ], file.path(out, "movies.csv"), row.names = FALSE, quote = 2:3)
write.csv(ratings, file.path(out, "ratings.csv.tmp"), row.names = FALSE, quote = FALSE)
invisible(file.rename(file.path(out, "ratings.csv.tmp"), file.path(out, "ratings.csv")))
R
