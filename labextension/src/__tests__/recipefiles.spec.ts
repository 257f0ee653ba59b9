import { kindOfFile, newImageArgs } from '../recipefiles';

describe('kindOfFile', () => {
  it.each([
    ['Dockerfile', 'dockerfile'],
    ['gpu.Dockerfile', 'dockerfile'],
    ['requirements.txt', 'requirements'],
    ['requirements-dev.txt', 'requirements'],
    ['environment.yml', 'environment'],
    ['environment.yaml', 'environment'],
    ['my-requirements.txt.bak', null],
    ['notes.txt', null],
    ['Dockerfile/', null]
  ])('says what %s is good for', (name, kind) => {
    expect(kindOfFile(name)).toBe(kind);
  });
});

describe('newImageArgs', () => {
  it('names a Dockerfile as the project sees it', () => {
    expect(newImageArgs('work/churn/docker/Dockerfile', 'work/churn')).toEqual({
      source: 'dockerfile',
      file: 'docker/Dockerfile'
    });
  });

  it('takes the root as a project too', () => {
    expect(newImageArgs('requirements.txt', '')).toEqual({
      source: 'template',
      requirements_file: 'requirements.txt'
    });
  });

  it('refuses what lies outside, also beside a folder with the same beginning', () => {
    expect(newImageArgs('work/churn-2/Dockerfile', 'work/churn')).toBeNull();
  });

  it('refuses other files', () => {
    expect(newImageArgs('work/churn/data.csv', 'work/churn')).toBeNull();
  });
});
