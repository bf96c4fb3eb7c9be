"use strict";
// Loads pictures of frames, keeps as many decoded as fit, and says which are ready.

class Pictures {
  constructor(data, mostBytes) {
    this.data = data;
    this.most = mostBytes;
    this.bytes = 0;
    this.kept = new Map(); // "index/layer" -> {bitmap, size}, the least used first
    this.coming = new Map();
    this.failed = new Set();
  }

  has(index, layer) {
    return layer in (this.data.pictures[index] ?? {});
  }

  box(index, layer) {
    return this.data.pictures[index][layer];
  }

  // The decoded picture; null where there is none or it is not here yet.
  get(index, layer) {
    const key = `${index}/${layer}`;
    const found = this.kept.get(key);
    if (!found) return null;
    this.kept.delete(key);
    this.kept.set(key, found);
    return found.bitmap;
  }

  ready(index, layers) {
    return layers.every((layer) =>
      !this.has(index, layer) || this.kept.has(`${index}/${layer}`) || this.failed.has(`${index}/${layer}`));
  }

  async load(index, layers) {
    await Promise.all(layers.filter((layer) => this.has(index, layer)).map((layer) => this.one(index, layer)));
  }

  one(index, layer) {
    const key = `${index}/${layer}`;
    if (this.kept.has(key) || this.failed.has(key)) return Promise.resolve();
    if (!this.coming.has(key)) {
      const coming = this.decoded(index, layer)
        .then((bitmap) => this.keep(key, bitmap), () => this.failed.add(key))
        .finally(() => this.coming.delete(key));
      this.coming.set(key, coming);
    }
    return this.coming.get(key);
  }

  async decoded(index, layer) {
    const image = new Image();
    image.src = await this.source(`${this.data.frames[index]}.${layer}.webp`);
    await image.decode();
    return createImageBitmap(image);
  }

  async source(name) {
    if (!this.data.inside) return `frames/${name}`;
    // A large page is shown before all of it is there.
    while (!$(name) && document.readyState === "loading") await new Promise((go) => setTimeout(go, 50));
    return `data:image/webp;base64,${$(name).textContent}`;
  }

  keep(key, bitmap) {
    const size = 4 * bitmap.width * bitmap.height;
    this.kept.set(key, { bitmap, size });
    this.bytes += size;
    for (const [old, { bitmap: unused, size: freed }] of this.kept) {
      if (this.bytes <= this.most || old === key) break;
      this.kept.delete(old);
      this.bytes -= freed;
      unused.close();
    }
  }
}
