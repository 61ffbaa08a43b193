// What survives a reload of the page: the picture and its known colors. They stay in this browser, for this tab alone,
// and are removed with "Another picture", or by a later visit.

const NAME = "labcolor", STORE = "pictures", DAY = 86400000; // milliseconds

let key = null;
let database = null;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function store() {
  if (!database) {
    const request = indexedDB.open(NAME);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    database = await done(request);
  }
  return database.transaction(STORE, "readwrite").objectStore(STORE);
}

/** Return what this tab kept, if there is something. */
export async function kept() {
  try {
    key = sessionStorage.getItem(NAME) ?? `${Date.now()} ${Math.random()}`;
    sessionStorage.setItem(NAME, key);
    const pictures = await store();
    for (const other of await done(pictures.getAllKeys())) {
      if (Date.now() - Number(other.split(" ")[0]) > DAY && other !== key) pictures.delete(other);
    }
    return await done(pictures.get(key));
  } catch {
    key = null; // a browser that keeps nothing, as in some private windows
  }
}

/** Keep a value in place of the one before; undefined removes it. */
export async function keep(value) {
  if (!key) return;
  try {
    const pictures = await store();
    await done(value ? pictures.put(value, key) : pictures.delete(key));
  } catch {
    key = null; // the disk is full, or the browser forbids it
  }
}
