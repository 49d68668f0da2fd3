// Where the path of a reader stands in the address of the page: ?explore=CHECK:0.3.1@2.
//
// A query and not a fragment, because the theme rewrites the fragment as the reader scrolls. A page from the file system may not
// change its query, so there the fragment has to do.

const KEY = "explore";

export function readAddress(location) {
  const query = new URLSearchParams(location.search).get(KEY);
  if (query !== null) return query;
  return location.hash.startsWith(`#${KEY}=`) ? decoded(location.hash.slice(KEY.length + 2)) : null;
}

// A text without its escapes, or as it is where they are none: then it is no path either, and the reader is told so.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// The address of the page with another path in it.
export function withAddress(location, text) {
  const url = new URL(location.href);
  if (url.protocol === "file:") {
    url.hash = `${KEY}=${encodeURIComponent(text)}`;
    return url.href;
  }
  url.searchParams.delete(KEY);
  // `:`, `@` and `~` may stand in a query as they are, and read better so.
  const rest = url.searchParams.toString();
  const path = encodeURIComponent(text).replace(/%(3A|40|7E)/gi, (c) => decodeURIComponent(c));
  url.search = `${rest === "" ? "" : `${rest}&`}${KEY}=${path}`;
  return url.href;
}
