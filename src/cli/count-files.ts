import { readFolder } from '../definitions/read-folder.ts';

/** The folders of a project, and which of their files are definitions. */
const folders: Readonly<Record<string, readonly string[]>> = {
  connectors: ['.yaml'],
  flows: ['.test.yaml', '.yaml'],
  mappings: ['.test.yaml', '.jsonata'],
  schemas: ['.json'],
};

export const projectFolders = Object.keys(folders);

/** How many definition files a project has. */
export async function countFiles(project: string): Promise<number> {
  const contents = await Promise.all(
    Object.entries(folders).map(([name, extensions]) => readFolder({ project, name, extensions })),
  );
  return contents.reduce((count, { files }) => count + files.length, 0);
}
